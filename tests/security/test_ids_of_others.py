"""Every id that can stand in a link, tried by somebody whose it is not, on the real app and on its services."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stocklab.community import Category, Draft, Moderation, Posts, Reason, Refusal, SubjectKind
from stocklab.db import Database, OwnerRow, PublicationRow
from stocklab.errors import JobError, ResultNotFound
from stocklab.portfolios import Access, HeldKind, OwnSweeps, ProofOrder, SweepOrder
from stocklab.research.sweep_store import SweepStore
from stocklab.sharing import PublicationNotFound, Publications, Showcase, Wish

ROOT = Path(__file__).resolve().parents[2]
SECRET_NAME = "Ada's quiet idea"
NO_RESULT = "This result is not stored here. It may have been removed to free space, or the link is wrong."

SOMEBODYS = {"run", "compare", "job", "sweep", "publication", "post", "strategy"}
"""Named by links, and tried below."""
ELSEWHERE = {"account", "order", "trader", "result"}
"""Tried in tests/ui/test_brokers_page.py, test_orders_page.py and test_trading_page.py, in a home with accounts."""
NOBODYS = {
    *("day", "value"),  # a day of one's own notes; a name in the code
    *("symbol", "date", "factor", "tag", "write", "lang", "preset", "example"),  # the same for all
    *("DAY", "LANGUAGE_KEY", "kind", "name", "parameter", "link"),  # names in the code, for some of those above
}


def test_every_parameter_of_a_link_was_judged() -> None:
    """A new one stops here until somebody has said whose the things are that it names."""
    found: set[str] = set()
    for file in (*(ROOT / "pages").glob("*.py"), *(ROOT / "stocklab" / "ui").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for pattern in (
            r"query_params\.(?:get|pop)\(\"?(\w+)",
            r"query_params\[\"?(\w+)",
            r"(\w+)\"? in st\.query_params",
        ):
            found.update(re.findall(pattern, text))
    assert found - SOMEBODYS - ELSEWHERE - NOBODYS == set()
    assert found >= SOMEBODYS - {"strategy"}  # it is read as `kind`


def test_results_open_for_their_owner_alone(place: Any, browser_of: Any, done: Any) -> None:
    ada, ben = (browser_of(place.server) for _ in range(2))
    ada.log_in("ada")
    ben.log_in("ben")
    mine = place.document | {"name": "Ben's own"}
    own = done(place.lab, place.ben, place.order(mine))[1]
    links = {
        "run": ("results", f"run={place.run}"),
        "explain": ("results", f"run={place.run}&result_section=explain&symbol=005930&date=2026-02-02"),
        "compare": ("results", f"compare={own},{place.run}"),
        "compare one": ("results", f"compare={place.run}"),
        "sweep": ("sweeps", f"sweep={place.sweep}"),
        "run as sweep": ("sweeps", f"sweep={place.run}"),
    }
    for name, (page, query) in links.items():
        drawn = ben.page(page, query)
        assert SECRET_NAME not in drawn, name
        assert "rsi" not in drawn.lower(), name
    assert SECRET_NAME in ada.page("results", f"run={place.run}")
    assert SECRET_NAME in ada.page("sweeps", f"sweep={place.sweep}")
    assert SECRET_NAME not in ben.page("sweeps")  # the list of sweeps
    assert SECRET_NAME in ada.page("sweeps")
    for page, job in (("results", place.run_job), ("sweeps", place.sweep_job)):
        assert SECRET_NAME not in ben.page(page, f"job={job}")
        assert place.run not in ben.page(page, f"job={job}")
    assert "Ben's own" in ben.page("results", f"run={own}")
    assert SECRET_NAME not in ben.page("screener", f"strategy={place.strategy}")
    # One that is not there is answered with the same words.
    absent, foreign = (ben.page("results", f"run={one}") for one in ("0" * 40, place.run))
    assert NO_RESULT in absent
    assert NO_RESULT in foreign


def test_a_published_run_opens_for_all_until_it_is_withdrawn(place: Any, browser_of: Any) -> None:
    ben = browser_of(place.server)
    ben.log_in("ben")
    publications = Publications(place.lab.database, place.lab.results)
    sealed = publications.publish(place.ada, Wish(strategy_id=place.strategy, hides_rules=True))
    assert not place.lab.access.may_open(place.ben, place.run)
    assert SECRET_NAME not in ben.page("results", f"run={place.run}")
    drawn = ben.page("shared", f"publication={sealed}")
    assert SECRET_NAME in drawn  # its name is public, its rules and its run are not
    assert "rsi(" not in drawn.lower()
    assert place.run not in drawn
    unlisted = publications.publish(place.ada, Wish(strategy_id=place.strategy, visibility="unlisted"))
    assert place.lab.access.may_open(place.ben, place.run)
    assert SECRET_NAME in ben.page("results", f"run={place.run}")
    publications.hide(unlisted, True)
    assert not place.lab.access.may_open(place.ben, place.run)
    assert place.lab.access.may_open(place.ada, place.run)
    publications.hide(unlisted, False)
    publications.withdraw(place.ada, unlisted)
    assert SECRET_NAME not in ben.page("results", f"run={place.run}")
    publications.reveal(place.ada, sealed)
    assert place.lab.access.may_open(place.ben, place.run)
    publications.withdraw(place.ada, sealed)
    assert not place.lab.access.may_open(place.ben, place.run)


def test_what_a_page_would_do_with_anothers_id_is_refused(place: Any) -> None:
    lab, ada, ben = place.lab, place.ada, place.ben
    with pytest.raises(ResultNotFound):
        lab.jobs.submit(ben, ProofOrder(run_id=place.run))
    for attempt in (
        lambda: lab.own_sweeps.get(ben, place.sweep),
        lambda: lab.own_sweeps.delete(ben, place.sweep),
    ):
        with pytest.raises(ResultNotFound):
            attempt()
    for job in (place.run_job, place.sweep_job):
        for act in (lab.jobs.get, lab.jobs.cancel):
            with pytest.raises(JobError):
                act(ben, job)
    assert [one.id for one in lab.own_sweeps.recent(ada)] == [place.sweep]
    assert lab.own_sweeps.recent(ben) == []


def test_who_asks_the_same_holds_the_same_and_lets_go_alone(place: Any, done: Any) -> None:
    """What was computed is shared by the home; a person comes to it by knowing the rules, not the id."""
    lab = place.lab
    asked = lab.sweeps.load(place.sweep).sweep.model_dump(mode="json")
    assert done(lab, place.ben, SweepOrder(document=asked))[1] == place.sweep
    assert lab.own_sweeps.get(place.ben, place.sweep).id == place.sweep
    lab.own_sweeps.delete(place.ben, place.sweep)
    with pytest.raises(ResultNotFound):
        lab.own_sweeps.get(place.ben, place.sweep)
    assert lab.own_sweeps.get(place.ada, place.sweep).id == place.sweep


def test_posts_and_publications_that_were_hidden_open_for_nobody_else(place: Any, browser_of: Any) -> None:
    database, ada, ben = place.lab.database, place.ada, place.ben
    boss = place.lab.accounts.users.by_email("boss@example.com").id
    post = Posts(database).write(ada, Draft(category=Category.FREE, title="quiet words", body="of a hidden post"))
    Moderation(database).report(ben, SubjectKind.POST, post, Reason.OTHER)
    Moderation(database).hide(boss, SubjectKind.POST, post)
    made = Publications(database, place.lab.results).publish(ada, Wish(strategy_id=place.strategy))
    Publications(database, place.lab.results).hide(made, True)
    reader = browser_of(place.server)
    reader.log_in("ben")
    assert "hidden post" not in reader.page("community", f"post={post}")
    assert SECRET_NAME not in reader.page("shared", f"publication={made}")
    assert SECRET_NAME not in reader.page("community", f"write=1&publication={made}")
    with pytest.raises(PublicationNotFound):
        Showcase(database).get(ben, made)
    with pytest.raises(Refusal):
        Posts(database).write(ben, Draft(category=Category.FREE, title="t", body="b", publication_id=made))


def test_files_of_pages_are_behind_the_log_in_and_not_to_be_guessed(place: Any, browser_of: Any) -> None:
    stranger, ben = browser_of(place.server), browser_of(place.server)
    ben.log_in("ben")
    for path in (f"/media/{'a' * 56}.csv", "/media/../stocklab.db", "/media/%2e%2e/stocklab.db", "/app/static/x.csv"):
        assert stranger.get(path).status in (303, 401), path
        assert not ben.get(path).body.startswith(b"SQLite format"), path
    for method in ("PUT", "DELETE"):
        path = "/_stcore/upload_file/00000000-0000-0000-0000-000000000000/0"
        assert place.server.ask(path, method, b"x").status == 401
        answer = place.server.ask(path, method, b"x", Cookie=f"stocklab_session={ben.cookies['stocklab_session']}")
        assert answer.status >= 400, method


@pytest.fixture
def people(database: Database) -> Database:
    with database.write() as session:
        session.add_all(OwnerRow(id=one, name=one) for one in ("ada", "ben"))
    return database


def test_access_on_both_databases(people: Database, tmp_path: Path) -> None:
    access, run = Access(people), "a" * 40
    for odd in ("", "x" * 65, "../" + run, f"{run}' OR '1'='1", "%", "a\0b", "\ud800"):
        assert not access.may_open("ada", odd), odd
    access.hold("ada", run, HeldKind.RUN)
    access.hold("ada", run, HeldKind.RUN)
    assert (access.may_open("ada", run), access.may_open("ben", run)) == (True, False)
    access.hold("ben", run, HeldKind.RUN)
    assert not access.let_go("ada", run)  # Ben still holds it
    assert access.let_go("ben", run)
    assert not access.may_open("ben", run)
    assert Access(people, everything=True).may_open("ben", run)
    published = {"name": "P", "version": 1, "visibility": "public", "metrics": {}, "curve": {}}
    with people.write() as session:
        session.add(PublicationRow(id="pub", owner_id="ada", run_id=run, run_start=date(2026, 1, 5), **published))
    assert access.may_open("ben", run)
    assert OwnSweeps(SweepStore(tmp_path), access).recent("ben") == []
