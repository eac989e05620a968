"""The system page in its states: fresh home, scheduler in every state, a failed job, a database that is away."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.caches import Group, cache_figures
from stocklab.counts import COUNTS
from stocklab.db import DatabaseUnreachable, RunState
from stocklab.operations import ComponentDay, ComponentState, RunLedger, Uptime, uptime_share
from stocklab.operations.schedule import SCHEDULES
from stocklab.portfolios import Lab, shared_lab
from stocklab.portfolios.orders import KINDS
from stocklab.ui.system import words
from stocklab.ui.text import _, speaking

ROOT = Path(__file__).resolve().parents[2]


def said(page: AppTest) -> str:
    kinds = ("subheader", "markdown", "caption", "error", "warning", "success", "html")
    parts = [str(part.value) for kind in kinds[:-1] for part in getattr(page, kind)]
    parts += [part.proto.body for part in page.get("html")]
    assert not page.exception
    return "\n".join(parts)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_fresh_home_shows_every_part_and_says_what_is_missing(empty_pages, language: str) -> None:
    text = said(empty_pages("system", lang=language))
    with speaking("ko" if language == "ko" else "en"):
        assert [name for name in words.COMPONENTS.values() if _(name) not in text] == []
    if language == "en":
        assert "Needs a look: Web pages, Scheduler" in text  # no server runs here, only the page
        assert "No scheduler runs" in text
        assert "never" in text
        assert "Nothing runs or waits." in text
        assert len(re.findall(r'<i class="unknown"', text)) == 4 * 30


def test_the_scheduler_in_each_of_its_states(pages, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    uptime, ledger, now = Uptime(lab.database), RunLedger(lab.database), datetime.now(UTC)
    roomy = shutil.disk_usage(lab.settings.home)._replace(free=10**12)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: roomy)  # a nearly full machine would need a look too
    uptime.beat("scheduler", "waiting", now, state="standby")
    assert "waits to take over" in said(pages("system", lang="en"))
    uptime.beat("scheduler", "leader", now)
    uptime.beat("ui", "here", now)
    assert "All parts are well." in said(pages("system", lang="en"))
    ledger.claim("sync", "2026-11-27", "leader", now)
    ledger.finish("sync", "2026-11-27", "leader", RunState.FAILED, now=now, message="<b>no</b> answer")
    failed = said(pages("system", lang="en"))
    assert "Needs a look: Scheduler" in failed
    assert "2026-11-27 · Failed" in failed
    assert "&lt;b&gt;no&lt;/b&gt; answer" in failed
    assert "<b>no</b>" not in failed
    for worker in ("leader", "waiting"):
        uptime.leave(worker)
    monkeypatch.setattr(lab, "settings", lab.settings.model_copy(update={"scheduler": "off"}))
    assert "STOCKLAB_SCHEDULER=off" in said(pages("system", lang="en"))


def test_a_job_no_longer_asks_for_a_key_that_was_entered(pages, lab: Lab) -> None:
    then = datetime.now(UTC) - timedelta(hours=1)
    lab.ledger.claim("disclosures", "2026-11-26", "leader", then)
    message = "opendart: no key is set Hint: set STOCKLAB_OPENDART_KEY, or enter the key on the Data page."
    lab.ledger.finish("disclosures", "2026-11-26", "leader", RunState.SKIPPED, now=then, message=message)
    assert "No key is set." in said(pages("system", lang="en"))
    lab.source_keys().set("opendart_key", "k" * 40)
    found = said(pages("system", lang="en"))
    assert "No key is set." not in found
    assert "a key was entered since" in found
    lab.source_keys().delete("opendart_key")


def test_a_database_that_is_away_leaves_the_rest_of_the_page(pages, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseUnreachable("The app database does not answer.")

    monkeypatch.setattr(shared_lab().database, "ping", away)
    text = said(pages("system", lang="en"))
    assert "Needs a look: App database" in text
    assert "so uptime and jobs are not known" in text
    assert "This process" in text
    assert "Caches" in text


def test_errors_of_pages_are_counted_by_kind(pages, monkeypatch: pytest.MonkeyPatch) -> None:
    before = COUNTS.page_errors()

    def broken(*_given: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr("stocklab.ui.blocks.title", broken)
    page = pages("system", lang="en")
    assert "Reference for the log" in page.error[0].value
    monkeypatch.undo()
    assert COUNTS.page_errors() == before | {"program": before["program"] + 1}


def test_everything_that_is_shown_has_a_name() -> None:
    assert words.STATES.keys() == words.STATE_CLASSES.keys() == set(ComponentState)
    assert words.JOBS.keys() >= {schedule.name for schedule in SCHEDULES}
    assert words.RUN_STATES.keys() == set(RunState)
    assert words.JOB_KINDS.keys() == set(KINDS)


def test_the_table_of_caches_in_the_settings_is_the_code(pages) -> None:
    pages("system")  # imports every page's modules
    import stocklab.web.warm_up

    stocklab.web.warm_up.load_heavy_modules()
    rows = {}
    for line in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines():
        found = re.match(r"\| `STOCKLAB_CACHE_(\w+)_SECONDS` \| `\d+` \| (.*?) \|", line)
        if found:
            rows[Group(found[1].lower())] = set(re.findall(r"`(\w+)`", found[2]))
    kept = [one for one in cache_figures() if one.group is not None]
    assert rows == {group: {one.name for one in kept if one.group is group} for group in Group}
    assert {one.name for one in cache_figures()} <= words.CACHES.keys()


def test_the_share_of_uptime_leaves_out_what_was_before_the_first_day() -> None:
    now = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)  # noon in Seoul
    today = date(2026, 11, 27)

    def day(back: int, seconds: float) -> tuple[date, ComponentDay]:
        when = today - timedelta(days=back)
        return when, ComponentDay(component="ui", day=when, seconds=seconds, starts=1, last_seen_at=now)

    empty: dict[date, ComponentDay | None] = {today - timedelta(days=back): None for back in (3, 2, 1, 0)}
    assert uptime_share(empty, now) is None
    assert uptime_share(empty | dict([day(0, 3600.0)]), now) is None
    seen = empty | dict([day(2, 60.0), day(1, 86_400.0), day(0, 21_600.0)])
    assert uptime_share(seen, now) == pytest.approx((86_400 + 21_600) / (86_400 + 43_200))
    gap = empty | dict([day(2, 60.0), day(0, 43_200.0)])
    assert uptime_share(gap, now) == pytest.approx(43_200 / 129_600)
