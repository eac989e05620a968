"""A store filled and kept up to date over a real socket holds exactly what was served, whatever happens on the way."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from fakes.http_service import Fault
from fakes.krx_openapi import FakeKrxOpenApi
from polars.testing import assert_frame_equal

from stocklab.data import Store, open_panel
from stocklab.data.sources.feed import Answer, AnswerState, Window
from stocklab.data.sync import run as run_module
from stocklab.data.sync.absorb import coverage_of
from stocklab.data.sync.inbox import Inbox
from stocklab.data.sync.report import FeedOutcome, SyncProgress, SyncReport
from stocklab.data.sync.run import SyncOptions, sync
from stocklab.errors import StoreError
from stocklab.market.calendar import sessions_between

from .conftest import FIRST, LAST, morning_after, served_rows, snapshots_on_disk, stored_rows

Run = Callable[..., SyncReport]
SESSIONS = sessions_between(FIRST, LAST).astype(object).tolist()


def test_a_first_fill_and_daily_increments_give_what_was_served(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    said: list[SyncProgress] = []
    krx.publish(SESSIONS[-6])
    report = run(SESSIONS[-6], on_progress=said.append, options={"first_store_after": 10, "store_after": 25})
    assert report.complete
    assert len(report.snapshots) == 3, "after 10, after 25 more and at the end"
    assert said[-1].asked == said[-1].wanted == len(SESSIONS) - 5
    assert said[2].seconds_left is None or said[2].seconds_left >= 0
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market, SESSIONS[-6]))
    for day in SESSIONS[-5:]:
        asked = len(krx.seen)
        krx.publish(day)
        report = run(day)
        assert report.added == {"prices_raw": market.filter(date=day).height}
        assert report.replaced == report.removed == {}
        assert len(krx.seen) - asked <= 3 * (1 + 3 + 1), "one new session, three looked at again, one to compare with"
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market))
    assert set(stored_rows(store)["source"]) == {"krx_openapi.stocks"}
    before = store.current_id()
    report = run(LAST)
    assert report.snapshots == ()
    assert store.current_id() == before, "nothing new, no new snapshot"
    assert Inbox(store.home).pending() == []


def test_what_is_not_out_yet_is_asked_again(run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame):
    krx.publish(SESSIONS[4])
    krx.withhold("sto/ksq_bydd_trd", SESSIONS[4])
    report = run(SESSIONS[4])
    assert report.feeds[0].outcome is FeedOutcome.LEFT
    assert report.feeds[0].not_yet == 1
    assert stored_rows(store)["session"].max() == SESSIONS[3], "half a market is no session"
    krx.release()
    assert run(SESSIONS[4]).complete
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market, SESSIONS[4]))


def test_an_outage_that_answers_nothing_is_no_holiday(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    krx.publish(SESSIONS[20])
    report = run(SESSIONS[30])  # ten sessions long past, of which the service says nothing
    assert report.feeds[0].outcome is FeedOutcome.LEFT
    assert report.feeds[0].left == 10
    assert "a session by the calendar" in report.feeds[0].message
    krx.publish(LAST)
    assert run(SESSIONS[30]).complete
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market, SESSIONS[30]))


def test_a_holiday_the_calendar_does_not_know_is_observed(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    closed = SESSIONS[10]  # as a temporary holiday would be: the exchange has no rows, for good
    krx.replace_day(closed, market.filter(date=closed).clear())
    assert not run(SESSIONS[20]).complete, "its neighbour before was not asked yet"
    assert run(SESSIONS[20]).complete
    rows = stored_rows(store)
    assert closed not in set(rows["session"])
    panel = open_panel(store)
    assert np.datetime64(closed) not in panel.sessions
    snapshot = store.current()
    assert snapshot is not None
    counts = snapshot.manifest.quality
    assert counts["prices_raw.missing_sessions"] == 0, "a day that was none is no hole"
    # the base prices of the next session are read across it: KRX states the change to the close before
    step = panel.sessions.tolist().index(SESSIONS[11])
    column = panel.symbols.index("000010")
    assert not any("exchange are missing" in note for note in panel.notes)
    assert panel.fields["base_price"][step, column] == (
        market.filter(date=SESSIONS[11], code="000010").select(pl.col("close") - pl.col("change")).item()
    )


def test_a_hole_is_filled_by_a_later_sync(run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame):
    bad = f"{SESSIONS[8]:%Y%m%d}"
    krx.fail(Fault.HTML, times=100, when=lambda seen: bad in seen.body.decode() or seen.params.get("basDd") == bad)
    report = run(SESSIONS[20])
    assert report.feeds[0].failed == 1
    assert report.feeds[0].outcome is FeedOutcome.FAILED
    assert SESSIONS[8] not in set(stored_rows(store)["session"])
    assert stored_rows(store)["session"].n_unique() == 20, "one bad day stops nothing else"
    krx.heal()
    assert run(SESSIONS[20]).complete
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market, SESSIONS[20]))


def test_a_source_that_is_down_leaves_everything_as_it_was(run: Run, krx: FakeKrxOpenApi, store: Store):
    run(SESSIONS[10])
    before = store.current_id()
    krx.fail(Fault.ERROR_500, times=10_000)
    asked = len(krx.seen)
    report = run(SESSIONS[30])
    assert report.feeds[0].outcome is FeedOutcome.FAILED
    assert len(krx.seen) - asked <= 3 * 3, "three keys, three tries each"
    assert store.current_id() == before
    assert "500" in report.feeds[0].message


def test_a_late_correction_and_a_split_re_adjust_the_history(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    run(SESSIONS[20])
    pinned = open_panel(store)
    column = pinned.symbols.index("000010")
    old_closes = pinned.fields["close"][:, column].copy()
    # the exchange corrects the last session of 000010, and takes 000020 out of it
    corrected = market.filter(date=SESSIONS[20], code="000010").with_columns(
        close=pl.col("close") + 5, change=pl.col("change") + 5, high=pl.col("close") + 9
    )
    rest = market.filter(pl.col("date") == SESSIONS[20], ~pl.col("code").is_in(["000010", "000020"]))
    krx.replace_day(SESSIONS[20], pl.concat([rest, corrected]))
    # then 000030 is split 5:1: five times the shares, a fifth of the price from the next session on
    later = [day for day in SESSIONS if day > SESSIONS[20]]
    split = market.filter(pl.col("code") == "000030", pl.col("date").is_in(later)).sort("date")
    last = market.filter(date=SESSIONS[20], code="000030")["close"][0]
    closes, changes, before = [], [], round(last / 5)
    for step in range(split.height):
        closes.append(before + 2 * (step + 1))
        changes.append(2 * (step + 1) if step == 0 else closes[-1] - closes[-2])
    split = split.with_columns(
        pl.Series("close", closes), pl.Series("change", changes), listed_shares=pl.col("listed_shares") * 5
    )
    split = split.with_columns(
        open="close", high="close", low="close", market_cap=pl.col("close") * pl.col("listed_shares")
    )
    krx.correct(split)
    report = run(SESSIONS[22])
    assert report.replaced == {"prices_raw": 1}
    assert report.removed == {"prices_raw": 1}
    rows = stored_rows(store)
    assert rows.filter(session=SESSIONS[20], symbol="000010")["close"][0] == corrected["close"][0]
    assert rows.filter(session=SESSIONS[20], symbol="000020").is_empty()
    panel = open_panel(store)
    at = panel.symbols.index("000030")
    row = panel.sessions.tolist().index(SESSIONS[21])
    assert panel.fields["split_ratio"][row, at] == 5
    raw = market.filter(code="000030").sort("date")["close"].to_numpy()[:21]
    factor = (closes[0] - changes[0]) / last  # base price over the close before, as KRX states it
    assert np.allclose(panel.fields["close"][:21, at], raw * factor)
    assert np.allclose(panel.fields["close"][21:23, at], closes[:2])
    assert np.array_equal(pinned.fields["close"][:, column], old_closes), "a run pinned to the old snapshot sees it"
    assert len(snapshots_on_disk(store.home)) == 2


def test_stopped_it_keeps_what_it_was_told(run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame):
    stop = threading.Event()

    def after_ten(progress: SyncProgress) -> None:
        if progress.asked >= 10:
            stop.set()

    report = run(LAST, stop=stop, on_progress=after_ten)
    assert report.cancelled
    assert not report.complete
    kept = stored_rows(store)["session"].n_unique()
    assert kept in (10, 11), "the answer on its way is still taken"
    asked = len(krx.seen)
    assert run(LAST).complete
    assert len(krx.seen) - asked <= 3 * (len(SESSIONS) - kept + 3) + 3, "nothing is asked twice but the last three"
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market))


class Second:
    """Another source of the same bars, in this process: the sockets of the real one are tested with it."""

    name, source, datasets, calls_per_key = "portal.stocks", "portal", ("prices_raw",), 1

    def __init__(self, market: pl.DataFrame) -> None:
        rows = served_rows(market).with_columns(source=pl.lit(self.name))
        self.days = {key[0].isoformat(): frame for key, frame in rows.partition_by("session", as_dict=True).items()}
        self.asked: list[str] = []

    def wanted(self, known: dict[str, str], window: Window) -> list[str]:
        return [str(day) for day in window.sessions[::-1] if str(day) not in known]

    def fetch(self, key: str) -> Answer:
        self.asked.append(key)
        return Answer(state=AnswerState.FINAL, frames={"prices_raw": self.days[key]})


def test_a_second_source_fills_holes_and_is_compared_never_mixed(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    bad = f"{SESSIONS[3]:%Y%m%d}"
    krx.fail(Fault.HTML, times=100, when=lambda seen: bad in seen.body.decode() or seen.params.get("basDd") == bad)
    other = market.with_columns(volume=pl.col("volume") + (pl.col("code") == "000010").cast(pl.Int64))
    second = Second(other)
    report = run(SESSIONS[5], more_feeds=[second])
    assert sorted(second.asked) == [str(SESSIONS[3]), str(SESSIONS[5])], "the hole, and the newest as a check"
    rows = stored_rows(store)
    assert set(rows.filter(session=SESSIONS[3])["source"]) == {"portal.stocks"}
    assert set(rows.filter(pl.col("session") != SESSIONS[3])["source"]) == {"krx_openapi.stocks"}
    assert report.disagreements == 1
    snapshot = store.current()
    assert snapshot is not None
    found = snapshot.scan("disagreements").collect().row(0, named=True)
    value = market.filter(date=SESSIONS[5], code="000010")["volume"][0]
    assert (found["session"], found["symbol"], found["column"]) == (SESSIONS[5], "000010", "volume")
    assert (found["source"], found["value"]) == ("portal.stocks", str(value + 1))
    assert (found["other_source"], found["other_value"]) == ("krx_openapi.stocks", str(value))
    krx.heal()
    report = run(SESSIONS[5], more_feeds=[second])
    assert set(stored_rows(store)["source"]) == {"krx_openapi.stocks"}, "the first choice takes the session over"
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market, SESSIONS[5]))


def test_rows_of_a_better_source_stand_while_it_is_off(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    ranks = ("krx_openapi.stocks", "portal.stocks")
    run(SESSIONS[5], options={"ranks": ranks})
    second = Second(market.with_columns(volume=pl.col("volume") + (pl.col("code") == "000010").cast(pl.Int64)))
    options = SyncOptions(history_from=FIRST, ranks=ranks)
    report = sync(store, [second], options, clock=lambda: morning_after(SESSIONS[7]))
    assert sorted(second.asked) == [str(day) for day in SESSIONS[5:8]], "what is new, and one session as a check"
    rows = stored_rows(store)
    assert set(rows.filter(pl.col("session") <= SESSIONS[5])["source"]) == {"krx_openapi.stocks"}
    assert set(rows.filter(pl.col("session") > SESSIONS[5])["source"]) == {"portal.stocks"}
    assert_frame_equal(rows.filter(pl.col("session") <= SESSIONS[5]).drop("source"), served_rows(market, SESSIONS[5]))
    assert report.disagreements == 1


class Again(Second):
    """Asks for every session in every sync."""

    def wanted(self, known: dict[str, str], window: Window) -> list[str]:
        return [str(day) for day in window.sessions[::-1]]


class Broken(Second):
    """A source whose answer breaks the code that reads it, as JSON nested a million times does."""

    name, source = "broken.stocks", "broken"

    def fetch(self, key: str) -> Answer:
        json.loads("[" * 1_000_000)
        return super().fetch(key)


def test_an_answer_that_breaks_its_reader_stops_its_own_source_alone(
    run: Run, krx: FakeKrxOpenApi, store: Store, market: pl.DataFrame
):
    clock = lambda: morning_after(SESSIONS[5])  # noqa: E731
    report = sync(store, [Broken(market), Learning()], SyncOptions(history_from=FIRST), clock=clock)
    assert [feed.outcome for feed in report.feeds] == [FeedOutcome.FAILED, FeedOutcome.DONE]
    assert "RecursionError" in report.feeds[0].message
    assert report.added == {"rates": 3}


def test_a_writer_at_the_end_of_a_sync_is_no_failure(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch):
    other, done = Store(store.home), threading.Event()

    def write() -> None:
        with other.writing("import"):
            writing.set()
            done.wait(20)

    writing = threading.Event()
    thread = threading.Thread(target=write)

    def after(store: Store) -> None:  # the last thing before garbage is collected
        thread.start()
        assert writing.wait(20)

    monkeypatch.setattr(run_module, "_build_panels", after)
    try:
        assert run(SESSIONS[2]).complete
    finally:
        done.set()
        thread.join()


class Learning:
    """A feed that hears of its keys while the sync runs, as the list of filings names the reports to ask for."""

    name, source, datasets, calls_per_key = "reports.rates", "reports", ("rates",), 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def wanted(self, known: dict[str, str], window: Window) -> list[str]:
        return [key for key in ("first", *("second", "third")[: len(self.asked)]) if key not in known]

    def fetch(self, key: str) -> Answer:
        self.asked.append(key)
        rows = pl.DataFrame({"session": [SESSIONS[len(self.asked)]], "name": [key], "percent": [1.0]})
        return Answer(state=AnswerState.FINAL, frames={"rates": rows})


def test_what_is_learnt_during_a_sync_is_asked_for_in_it(run: Run, store: Store):
    feed = Learning()
    report = run(SESSIONS[2], more_feeds=[feed])
    assert feed.asked == ["first", "second", "third"]
    assert report.complete
    assert report.added["rates"] == 3
    run(SESSIONS[2], more_feeds=[feed])
    assert len(feed.asked) == 3


def test_a_row_that_could_not_be_taken_leaves_the_stored_one(run: Run, krx: FakeKrxOpenApi, store: Store):
    run(SESSIONS[10])
    before = stored_rows(store)
    market = krx._stocks.of(SESSIONS[10])
    krx.replace_day(
        SESSIONS[10], market.with_columns(high=pl.when(pl.col("code") == "000010").then(1).otherwise("high"))
    )
    report = run(SESSIONS[10])
    assert not report.removed
    assert any("000010" in note for note in report.notes), "and a person is told"
    assert_frame_equal(stored_rows(store), before)


def test_rows_that_vanish_and_rows_that_cannot_be_are_failures(run: Run, krx: FakeKrxOpenApi, store: Store):
    run(SESSIONS[10])
    before = stored_rows(store)
    for service in ("sto/stk_bydd_trd", "sto/ksq_bydd_trd", "sto/knx_bydd_trd"):
        krx.withhold(service, SESSIONS[8])  # one of the three that are asked again
    assert not run(SESSIONS[10]).complete
    krx.release()
    krx.fail(Fault.HALF_ROWS, times=1)
    report = run(SESSIONS[10])
    assert report.feeds[0].failed == 1
    assert_frame_equal(stored_rows(store), before)


def test_a_correction_that_lacks_many_rows_is_a_part(store: Store, market: pl.DataFrame):
    wide = pl.concat([market.with_columns(code=f"{n}" + pl.col("code").str.slice(1)) for n in range(10)])
    source = Again(wide)
    clock = lambda: morning_after(SESSIONS[2])  # noqa: E731
    options = SyncOptions(history_from=FIRST)
    assert sync(store, [source], options, clock=clock).complete
    whole, key = source.days[str(SESSIONS[1])], str(SESSIONS[1])
    source.days[key] = whole.head(whole.height - 6)
    report = sync(store, [source], options, clock=clock)
    assert (report.feeds[0].failed, report.removed) == (1, {})
    assert "before it had" in report.feeds[0].message
    source.days[key] = whole.head(whole.height - 5)
    report = sync(store, [source], options, clock=clock)
    assert (report.feeds[0].failed, report.removed) == (0, {"prices_raw": 5})


def test_only_one_sync_at_a_time(run: Run, store: Store, krx: FakeKrxOpenApi):
    krx.fail(Fault.SLOW, times=1, seconds=1.0)
    first = threading.Thread(target=run, args=(SESSIONS[2],))
    first.start()
    while not krx.seen:
        pass
    with pytest.raises(StoreError, match="sync"):
        run(SESSIONS[2])
    first.join()


def test_coverage_tells_what_was_asked(run: Run, store: Store, krx: FakeKrxOpenApi):
    holiday = date(2024, 2, 9)  # a day the calendar knows to be closed is never asked
    run(SESSIONS[30])
    known = coverage_of(store.current())["krx_openapi.stocks"]
    assert set(known) == {str(day) for day in SESSIONS[:31]}
    assert str(holiday) not in known
    assert len(snapshots_on_disk(store.home)) >= 1
