"""Marks after publication on the demo market: each is what an independent run of the same rules gives."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import delete, select

from stocklab.backtest import RunRequest
from stocklab.data.engine import run_backtest
from stocklab.data.results import ResultStore
from stocklab.db import Database, PublicationMarkRow, PublicationRow, open_database, upgrade
from stocklab.db.columns import utc_now
from stocklab.errors import Cancelled
from stocklab.portfolios import Lab
from stocklab.ranking import Board, Boards, Marking, mark_publications
from stocklab.research.carrying import carrying_capacity
from stocklab.settings import Settings
from stocklab.sharing import Publications, Showcase, Wish
from stocklab.sidecar.jobs import JOBS
from stocklab.sidecar.work import JobContext, Stop
from stocklab.strategy import Strategy, parse_document

DOCUMENT = {
    "name": "Above its average",
    "entry": {"rules": [{"id": "A", "formula": "close>sma(close,20)"}]},
    "exit": {"max_holding": 10},
    "sizing": {"max_holdings": 10},
}
PUBLISHED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # 21:00 of a session in Seoul


@pytest.fixture
def lab(demo_home: Path, tmp_path: Path) -> Lab:
    shutil.copytree(demo_home / "market", tmp_path / "market", ignore=shutil.ignore_patterns("*.lock"))
    return Lab.open(Settings(home=tmp_path))


def publications(lab: Lab) -> Publications:
    return Publications(
        lab.database,
        lab.results,
        followers=(Boards(lab.database),),
        capacity=lambda result: carrying_capacity(lab.panel(), result),
    )


def publish(lab: Lab, document: dict[str, object], **how: object) -> str:
    strategy = parse_document(document)
    saved = lab.strategies.save("local", strategy)
    request = RunRequest(
        strategy=strategy, start=date(2025, 1, 2), end=date(2026, 5, 29), initial_cash_krw=1_000_000_000
    )
    result = run_backtest(lab.store, lab.results, request, threads=1).result
    lab.runs.record("local", result.run_id, request, card=result.card, metrics=result.metrics)
    return publications(lab).publish("local", Wish(strategy_id=saved.id, **how), now=PUBLISHED)  # type: ignore[arg-type]


def mark(lab: Lab, *, stop: bool = False) -> Marking:
    return mark_publications(
        lab.database, lab.store, lab.results, threads=1, factor_cache_mb=100, should_cancel=lambda: stop
    )


def independent(lab: Lab, strategy: Strategy, folder: Path) -> list[tuple[date, float]]:
    """Closes of a run that shares no stored result with the marks."""
    request = RunRequest(
        strategy=strategy, start=date(2026, 6, 1), end=date(2026, 11, 20), initial_cash_krw=100_000_000
    )
    daily = run_backtest(lab.store, ResultStore(folder), request, threads=1).result.tables["daily"]
    return list(zip(daily["session"].to_list(), map(float, daily["equity_krw"].to_list()), strict=True))


def test_marks_are_what_an_independent_run_gives_and_are_made_once(lab: Lab, tmp_path: Path) -> None:
    open_one = publish(lab, DOCUMENT)
    sealed = publish(lab, {**DOCUMENT, "exit": {"max_holding": 15}}, hides_rules=True)
    unlisted = publish(lab, {**DOCUMENT, "exit": {"max_holding": 5}}, visibility="unlisted")
    assert mark(lab) == Marking(marked=3, waiting=0, failed={})
    showcase, boards = Showcase(lab.database), Boards(lab.database)
    for made, holding in ((open_one, 10), (sealed, 15), (unlisted, 5)):
        expected = independent(lab, parse_document({**DOCUMENT, "exit": {"max_holding": holding}}), tmp_path / "other")
        marks = showcase.get(None, made).marks
        assert [(one.session, one.equity_krw) for one in marks] == expected
        assert marks[0].session == date(2026, 6, 1)
        assert marks[0].equity_krw == 100_000_000
    page = boards.top(None, Board.AFTER_PUBLICATION, synthetic=True)
    by_id = {line.publication_id: line for line in page.items}
    assert by_id.keys() == {open_one, sealed}
    line = by_id[open_one]
    marks = showcase.get(None, open_one).marks
    assert line.value == pytest.approx(marks[-1].equity_krw / 1e8 - 1)
    assert line.sessions == len(marks) - 1
    assert line.cost_fraction is not None
    assert line.cost_fraction > 0
    assert boards.top(None, Board.AFTER_PUBLICATION, synthetic=False).items == ()

    with lab.database.write() as session:  # the scheduler was off for a week
        session.execute(delete(PublicationMarkRow).where(PublicationMarkRow.session > date(2026, 11, 13)))
        session.get_one(PublicationMarkRow, (open_one, date(2026, 11, 13))).equity = 1.0
    assert mark(lab).marked == 3
    again = showcase.get(None, open_one).marks
    assert again[-1] == marks[-1]
    assert [one.equity_krw for one in again if one.session == date(2026, 11, 13)] == [1.0]  # what is kept stays
    lab.close()


def test_what_cannot_run_is_reported_and_holds_nobody_up(lab: Lab) -> None:
    good, bad, gone, later, real = (publish(lab, {**DOCUMENT, "name": name}) for name in "abcde")
    publications(lab).withdraw("local", gone)
    with lab.database.write() as session:
        row = session.get_one(PublicationRow, bad)
        row.document = {**(row.document or {}), "schema_version": 99}
        session.get_one(PublicationRow, later).published_at = utc_now()
        session.get_one(PublicationRow, real).synthetic = False
    with pytest.raises(Cancelled):
        mark(lab, stop=True)
    found = mark(lab)
    assert (found.marked, found.waiting, list(found.failed)) == (1, 2, [bad])
    assert found.failure_rate == 0.5
    assert "1 failed (50.0 %)" in found.describe()
    with lab.database.read() as session:
        assert set(session.scalars(select(PublicationMarkRow.publication_id))) == {good}
    lab.close()


def test_the_job_of_the_timetable_says_what_it_did(lab: Lab) -> None:
    made = publish(lab, DOCUMENT)
    job = next(job for job in JOBS if job.schedule.name == "publications")
    context = JobContext(
        settings=lab.settings,
        database=lab.database,
        key="2026-11-20",
        document={},
        clock=utc_now,
        stop=Stop(process=Event(), person=Event()),
        tell=lambda _done, _text: None,
    )
    assert job.work(context) == "1 publications marked, 0 waiting, 0 failed."
    assert Showcase(lab.database).get(None, made).marks[-1].session == date(2026, 11, 20)
    assert Boards(lab.database).place(Board.AFTER_PUBLICATION, made, synthetic=True) == 1
    assert "sync" in job.schedule.after
    lab.close()


def test_capacity_is_where_one_purchase_in_twenty_is_a_tenth_of_its_day(lab: Lab) -> None:
    made = publish(lab, DOCUMENT)
    capacity = Showcase(lab.database).get(None, made).metrics["capacity_krw"]
    assert capacity is not None
    strategy = parse_document(DOCUMENT)
    request = RunRequest(
        strategy=strategy, start=date(2025, 1, 2), end=date(2026, 5, 29), initial_cash_krw=1_000_000_000
    )
    result = run_backtest(lab.store, lab.results, request, threads=1).result
    panel = lab.panel()
    equity = dict(zip(result.tables["daily"]["session"], result.tables["daily"]["equity_krw"], strict=True))
    spent: dict[tuple[date, str], int] = {}
    for trade in result.tables["trades"].filter(side="buy").iter_rows(named=True):
        key = (trade["session"], trade["symbol"])
        spent[key] = spent.get(key, 0) + trade["amount_krw"]
    days = [day.item() for day in panel.sessions]
    beyond = 0
    for (day, symbol), amount in spent.items():
        traded = float(panel.fields["tv"][days.index(day), panel.column(symbol)])
        beyond += amount / equity[day] * capacity > 0.1 * traded
    assert beyond == pytest.approx(0.05 * len(spent), abs=1.5)
    lab.close()


def test_a_database_without_publications_needs_no_market(tmp_path: Path, lab: Lab) -> None:
    database: Database = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    upgrade(database)
    found = mark_publications(database, lab.store, lab.results, threads=1, factor_cache_mb=10)
    assert found.describe() == "0 publications marked, 0 waiting, 0 failed."
    database.close()
    lab.close()
