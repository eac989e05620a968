"""Guards as rows: whose they are, and that each sends one order however often and whenever the process dies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from stocklab.brokers.values import Quote, QuoteSource
from stocklab.db import BrokerAccountRow, Database, GuardRow, KillSwitchRow, OrderRow, OwnerRow
from stocklab.errors import InputError
from stocklab.live.accounts import NotLinked
from stocklab.live.guard_watch import GuardWatch
from stocklab.live.guards import GuardNotFound, Guards, GuardSource, GuardState, default_fractions
from stocklab.strategy.document import ExitRules
from stocklab.trading import Book, Entry, EntryKind, Holding, OrderEvent, OrderState
from stocklab.trading.guarding import Guard, GuardKind, exit_draft, judge, send_again
from stocklab.trading.journal import EVERYTHING, Journal, Kept
from stocklab.trading.order import advance
from stocklab.trading.pricing import Venue
from stocklab.trading.ratios import base_change, rescale

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
D = Decimal
HELD = Holding(quantity=D(10), cost_krw=D(100_000))
PRICE = Quote(symbol="X", price_krw=D(9_000), at=NOW, source=QuoteSource.SOCKET)


@pytest.fixture
def home(database: Database) -> Database:
    """An account of `local` and one of somebody else."""
    with database.write() as session:
        session.add(OwnerRow(id="other", name="other"))
        session.flush()
        for name, owner in (("a", "local"), ("b", "other")):
            session.add(BrokerAccountRow(id=name, owner_id=owner, broker="kiwoom", mock=True, name=name))
    return database


def stop_over(guards: Guards, symbol: str = "X") -> str:
    return guards.add("local", "a", sleeve_id="s", symbol=symbol, kind=GuardKind.STOP, level_krw=D(9_500)).id


def watching(database: Database) -> GuardWatch:
    """As a new process has it."""
    return GuardWatch(database, "local", Journal(database, "local", "a"))


def fire(watch: GuardWatch) -> Kept | None:
    (guard,) = watch.due()
    verdict = judge(guard, HELD, PRICE, NOW)
    assert verdict.fired
    draft = exit_draft(verdict, D(10), PRICE, NOW, venue=Venue(market="KOSPI"))
    assert draft is not None
    return watch.fire(guard, draft, NOW)


def orders(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(OrderRow)) or 0


def test_what_an_owner_does_with_guards(home: Database) -> None:
    guards = Guards(home)
    one = guards.add("local", "a", sleeve_id="s", symbol="X", kind=GuardKind.STOP, fraction=D("0.1"))
    assert (one.state, one.source, one.fraction, one.level_krw) == (GuardState.ACTIVE, "person", D("0.1"), None)
    with pytest.raises(InputError, match="at work already"):
        guards.add("local", "a", sleeve_id="s", symbol="X", kind=GuardKind.STOP, level_krw=D(1))
    with pytest.raises(NotLinked):
        guards.add("local", "b", sleeve_id="s", symbol="X", kind=GuardKind.STOP, level_krw=D(1))
    assert guards.edit("local", one.id, level_krw=D(9_500)).level_krw == 9_500
    with pytest.raises(InputError):
        guards.edit("local", one.id, level_krw=D(1), fraction=D("0.1"))
    for who in (guards.get, guards.pause, guards.resume, guards.delete):
        with pytest.raises(GuardNotFound):
            who("other", one.id)
    guards.pause("local", one.id)
    assert watching(home).due() == ()
    guards.resume("local", one.id)
    assert [guard.guard_id for guard in watching(home).due()] == [one.id]
    guards.delete("local", one.id)
    with pytest.raises(GuardNotFound):
        guards.get("local", one.id)


def test_pages_of_guards_have_each_once(home: Database) -> None:
    guards = Guards(home)
    made = {stop_over(guards, f"S{number}") for number in range(25)}
    first = guards.page("local", account_id="a")
    second = guards.page("local", account_id="a", after=first.after)
    assert (len(first.items), second.after) == (20, None)
    assert {one.id for one in (*first.items, *second.items)} == made
    assert guards.page("local", account_id="b").items == guards.page("other").items == ()


def test_a_strategys_exits_are_watched_once(home: Database) -> None:
    exits = ExitRules.model_validate(
        {
            "stop": {"level": 0.08},
            "trailing": {"level": 0.1, "basis": "close"},
            "target": {"level": 10},
        }
    )
    assert default_fractions(exits) == {GuardKind.STOP: D("0.08"), GuardKind.TARGET: D(10)}
    guards = Guards(home)
    assert len(guards.follow_strategy("local", "a", "s", "X", exits)) == 2
    assert guards.follow_strategy("local", "a", "s", "X", exits) == ()
    at_work = guards.over("local", "a", "X")
    assert {one.source for one in at_work} == {GuardSource.STRATEGY}
    guards.delete("local", at_work[0].id)
    assert guards.follow_strategy("local", "a", "s", "X", exits) == ()  # the person does not want it
    watch = watching(home)
    watch.let_go([guard.guard_id for guard in watch.of_holdings()], NOW)  # all was sold
    assert len(guards.follow_strategy("local", "a", "s", "X", exits)) == 2


class Killed(BaseException):
    """SIGKILL, as far as one process can tell."""


@pytest.mark.parametrize("place", ["insert", "mark", "commit"])
def test_a_guard_sends_one_order_wherever_the_process_dies(home: Database, place: str) -> None:
    guard_id = stop_over(Guards(home))
    watch = watching(home)

    class Dying(Journal):
        def _insert(self, session: Session, kept: Kept, now: datetime) -> None:
            super()._insert(session, kept, now)
            if place == "insert":
                raise Killed

        def intend(self, drafts, now, *, alongside=None):  # type: ignore[no-untyped-def]
            def then(session: Session, kept: tuple[Kept, ...]) -> None:
                assert alongside is not None
                alongside(session, kept)
                if place == "mark":
                    raise Killed

            super().intend(drafts, now, alongside=then)
            raise Killed  # after the commit

    with pytest.raises(Killed):
        fire(GuardWatch(home, "local", Dying(home, "local", "a")))
    state = Guards(home).get("local", guard_id).state
    if place == "commit":
        assert (state, orders(home), watch.due()) == (GuardState.FIRED, 1, ())
    else:
        assert (state, orders(home)) == (GuardState.ACTIVE, 0)
        assert fire(watch) is not None
    assert orders(home) == 1
    fired = Guards(home).get("local", guard_id)
    (sent,) = watch.sent(NOW)[guard_id]
    assert (fired.state, fired.order_id, fired.fired_at) == (GuardState.FIRED, sent.order.order_id, NOW)
    for change in (Guards(home).pause, Guards(home).delete):
        with pytest.raises(GuardNotFound):
            change("local", guard_id)


def test_what_was_paused_meanwhile_or_is_stopped_does_not_fire(home: Database) -> None:
    guards, watch = Guards(home), watching(home)
    guard_id = stop_over(guards)
    (guard,) = watch.due()
    draft = exit_draft(judge(guard, HELD, PRICE, NOW), D(10), PRICE, NOW, venue=Venue(market="KOSPI"))
    assert draft is not None
    guards.pause("local", guard_id)
    assert watch.fire(guard, draft, NOW) is None
    guards.resume("local", guard_id)
    thrown(home, True)
    assert watch.fire(guard, draft, NOW) is None
    assert orders(home) == 0
    thrown(home, False)
    assert watch.fire(guard, draft, NOW) is not None
    assert watch.fire(guard, draft, NOW) is None
    assert orders(home) == 1


def thrown(database: Database, on: bool) -> None:
    with database.write() as session:
        session.merge(KillSwitchRow(scope=EVERYTHING, epoch=1, thrown=on, changed_at=NOW))


def end(database: Database, kept: Kept, *events: OrderEvent, booked: int = 0) -> None:
    after = replace(kept, order=replace(kept.order, booked_quantity=D(booked)), booked={"s": D(booked)})
    for event in events:
        after = replace(after, order=advance(after.order, event))
    Journal(database, "local", "a").record(kept, after, events, now=NOW)


def test_an_order_that_never_stood_there_is_watched_for_again_a_few_times(home: Database) -> None:
    stop_over(Guards(home))
    watch, ids = watching(home), set()
    for _ in range(5):
        kept = fire(watch)
        assert kept is not None
        ids.add(kept.plan_key)
        end(home, kept, OrderEvent.GATE_REFUSED)
        assert watch.revive(NOW + timedelta(seconds=59)) == ()
        assert len(watch.revive(NOW + timedelta(seconds=60))) == 1
        assert watch.revive(NOW + timedelta(seconds=60)) == ()
    kept = fire(watch)
    assert kept is not None
    end(home, kept, OrderEvent.GATE_REFUSED)
    assert watch.revive(NOW + timedelta(seconds=60)) == ()  # enough for a day: a person looks
    assert len(ids) == 5


def test_an_exit_that_died_with_its_day_goes_out_again_once(home: Database) -> None:
    guard_id = stop_over(Guards(home))
    watch = watching(home)
    kept = fire(watch)
    assert kept is not None
    assert watch.exiting("s", "X", NOW)
    end(home, kept, OrderEvent.SENDING, OrderEvent.ACCEPTED, OrderEvent.DAY_OVER, booked=4)
    assert watch.exiting("s", "X", NOW)
    assert not watch.exiting("s", "Y", NOW)
    opens = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    for expected in (6, None):
        found = watch.sent(opens)[guard_id]
        draft = send_again(found, D(6), date(2026, 11, 23), opens=opens, closes=opens + timedelta(minutes=29))
        assert (None if draft is None else draft.quantity) == expected
        if draft is not None:
            assert watch.send_again(draft, opens) is not None
            assert watch.send_again(draft, opens) is None
    again = watch.sent(opens)[guard_id]
    assert [one.order.state for one in again] == [OrderState.EXPIRED, OrderState.INTENT]
    end(home, again[1], OrderEvent.SENDING, OrderEvent.ACCEPTED, OrderEvent.FILLED, booked=6)
    assert not watch.exiting("s", "X", opens)
    assert watch.revive(opens + timedelta(minutes=2)) == ()


def test_highs_rise_and_what_is_not_held_is_let_go(home: Database) -> None:
    guards, watch = Guards(home), watching(home)
    one = guards.add("local", "a", sleeve_id="s", symbol="X", kind=GuardKind.TRAILING, fraction=D("0.1")).id
    for high in (100, 90):
        watch.keep_highs({one: D(high)}, NOW)
        assert guards.get("local", one).high_krw == 100
    watch.let_go([one], NOW)
    assert guards.get("local", one).state is GuardState.OVER
    assert watch.due() == ()


def test_an_event_changes_shares_and_levels_once_for_a_session(home: Database) -> None:
    guards, watch, journal = Guards(home), watching(home), Journal(home, "local", "a")
    guard_id = stop_over(guards)
    bought = Entry(kind=EntryKind.BUY, sleeve_id="s", symbol="X", quantity=D(10), cash_krw=D(-100_000))
    journal.book([bought], NOW - timedelta(days=1))
    change = base_change("X", D(10_000), D(2_000))
    assert change is not None
    for again in (False, True):
        event = rescale(Book().apply(journal.entries()), watch.over("X"), change, D(5))
        assert bool(watch.apply(event, date(2026, 11, 20), NOW)) is not again
        assert Book().apply(journal.entries()).held("X") == 50
        assert guards.get("local", guard_id).level_krw == 1_900
    rights = base_change("Y", D(100), D(90))
    assert rights is not None
    stop_over(guards, "Y")
    for _ in range(2):  # no share changes, and levels fall once all the same
        watch.apply(rescale(Book(), watch.over("Y"), rights, D(1)), date(2026, 11, 20), NOW)
    assert [one.level_krw for one in guards.over("local", "a", "Y")] == [8_550]


def test_a_guard_of_another_account_is_not_watched(home: Database) -> None:
    Guards(home).add("other", "b", sleeve_id="s", symbol="X", kind=GuardKind.STOP, level_krw=D(1))
    assert watching(home).due() == ()
    foreign = Guard(guard_id="x", sleeve_id="s", symbol="X", kind=GuardKind.STOP, level_krw=D(1))
    with home.read() as session:
        foreign = replace(foreign, guard_id=session.scalars(select(GuardRow.id)).one())
    watching(home).let_go([foreign.guard_id], NOW)
    assert Guards(home).page("other").items[0].state is GuardState.ACTIVE
