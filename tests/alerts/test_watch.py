"""The scheduler that is gone is missed once; signs of life go out; the lane sends within a moment; the feed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta

from people import counted

from stocklab.alerts import AlertKind, DailyNotes, DayFacts, Feed, Rules, SignsOfLife, compose, tell_if_gone
from stocklab.alerts.signs_of_life import call_due
from stocklab.operations import Uptime, open_sealer
from stocklab.sidecar.alert_lane import AlertLane
from stocklab.sidecar.lanes import Resources

from .conftest import ADA, BEN, START, Desk, Receiver


def test_a_scheduler_that_is_gone_is_missed_once_each_time(desk: Desk, receiver: Receiver) -> None:
    uptime = Uptime(desk.database)
    desk.webhook(receiver.url)
    assert tell_if_gone(desk.database, START) == 0  # it never ran
    uptime.beat("scheduler", "host:1:a", START)
    uptime.beat("scheduler", "host:2:b", START + timedelta(minutes=9), state="standby")
    assert tell_if_gone(desk.database, START + timedelta(minutes=5)) == 0
    desk.wait(minutes=6)
    assert tell_if_gone(desk.database, desk.now) == 1
    assert tell_if_gone(desk.database, desk.now + timedelta(minutes=1)) == 0
    assert desk.deliver() == 1
    assert receiver.told()[0]["severity"] == "critical"
    assert "2026-11-27 15:00" in receiver.told()[0]["text"]
    assert Feed(desk.database).list(BEN).items == ()
    uptime.beat("scheduler", "host:3:c", desk.now)
    uptime.leave("host:3:c")
    desk.wait(minutes=6)
    assert tell_if_gone(desk.database, desk.now) == 1


def test_signs_of_life_are_sent_every_few_minutes_while_it_works(desk: Desk, receiver: Receiver) -> None:
    signs = SignsOfLife(desk.database, desk.sealer)
    signs.set(ADA, f"{receiver.url}/ping/MARK-uuid", 5, now=desk.now)
    for expected in (1, 0):
        assert call_due(desk.database, desk.sealer, desk.settings, desk.clock) == expected
    assert [(seen.method, seen.path) for seen in receiver.seen] == [("GET", "/ping/MARK-uuid")]
    desk.wait(minutes=5)
    receiver.status = 500
    assert call_due(desk.database, desk.sealer, desk.settings, desk.clock) == 0
    found = signs.get(ADA)
    assert found is not None
    assert (found.last_ok_at, found.last_error, found.masked) == (START, "It answered 500.", "127.0.0.1/…")
    assert signs.get(BEN) is None
    signs.remove(ADA)
    desk.wait(hours=1)
    assert call_due(desk.database, desk.sealer, desk.settings, desk.clock) == 0
    assert len(receiver.seen) == 2


def test_the_lane_sends_within_a_moment_and_stops_in_order(desk: Desk, receiver: Receiver) -> None:
    sealer = open_sealer(desk.settings)
    desk.sealer = sealer
    desk.__post_init__()
    desk.webhook(receiver.url)
    stopping = threading.Event()
    lane = AlertLane(
        settings=desk.settings,
        database=desk.database,
        worker="w",
        clock=lambda: datetime.now(UTC),
        resources=Resources(),
        stopping=stopping,
        poll_seconds=0.2,
    )
    lane.start()
    try:
        for number in range(2):
            begun = time.monotonic()
            desk.now = datetime.now(UTC)
            desk.emit(f"fact {number}")
            while len(receiver.seen) <= number:
                assert time.monotonic() - begun < 20
                time.sleep(0.01)
    finally:
        stopping.set()
        lane.wake.set()
        assert lane.join(10)


def test_the_feed_is_read_page_by_page_with_one_statement_each(desk: Desk) -> None:
    feed = Feed(desk.database)
    for number in range(45):
        desk.now += timedelta(seconds=1)
        desk.emit(f"fact {number}", AlertKind.HALT if number % 3 else AlertKind.FILL)
    desk.emit("of Ben", owner=BEN)
    with desk.database.read("nobody"):  # whether PostgreSQL has the role of users is looked for once
        pass
    seen, after = [], None
    for _ in range(3):
        with counted(desk.database) as sent:
            page = feed.list(ADA, after=after)
        assert len(sent) == 1
        seen += [event.params["title"] for event in page.items]
        after = page.after
    assert after is None
    assert seen == [f"fact {number}" for number in reversed(range(45))]
    with counted(desk.database) as sent:
        assert feed.unread(ADA) == 45
        assert len(feed.list(ADA, kind=AlertKind.FILL).items) == 15
    assert len(sent) == 2
    feed.mark_read(ADA, feed.list(ADA).items[0].id)
    feed.mark_read(BEN)
    assert (feed.unread(ADA), feed.unread(BEN)) == (44, 0)
    assert len(feed.list(ADA, unread=True).items) == 20
    feed.mark_read(ADA)
    assert feed.unread(ADA) == 0


def test_lists_of_the_page_send_one_statement_each(desk: Desk) -> None:
    rules, notes = Rules(desk.database), DailyNotes(desk.database)
    for number in range(3):
        desk.webhook("http://127.0.0.1:9/", name=f"channel {number}")
        rules.add(ADA, AlertKind.HALT, f"00000{number}", {})
        notes.keep(ADA, compose(DayFacts(session=date(2026, 11, 25 + number), is_session=True)))
    with desk.database.read("nobody"):
        pass
    for ask in (rules.list, notes.list, desk.channels.list, desk.channels.trials):
        with counted(desk.database) as sent:
            ask(ADA)
        assert len(sent) == 1
