"""The outbox over real sockets: signed, in order, at least once under one id, and no channel waits for another."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from conftest import ROOT
from fakes.http_service import Fault

from stocklab.alerts import AlertKind, ChannelKind, forget_old_alerts
from stocklab.db import AlertEventRow

from .conftest import ADA, BEN, SECRET, START, Desk, Receiver

KILLED = """
import sys
from pathlib import Path
from stocklab.alerts.outbox import Outbox
from stocklab.db import open_database
from stocklab.operations import Sealer
from stocklab.settings import Settings
from datetime import datetime
url, home, channel, now = sys.argv[1:]
settings = Settings(home=Path(home), alerts_to_private_hosts=True)
Outbox(open_database(url), Sealer(("k" * 32,)), settings).drain(channel, lambda: datetime.fromisoformat(now))
"""


def checked(secret: str, header: str, body: bytes) -> bool:
    """A receiver of its own, as docs/alerts.md says."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


def test_a_fact_is_told_once_signed_and_with_the_words_of_the_channel(desk: Desk, receiver: Receiver) -> None:
    desk.webhook(f"{receiver.url}/hook?token=abc")
    first = desk.emit("fill:1:1", AlertKind.FILL, side="buy", name="삼성전자", quantity=1200, price_krw=71900)
    assert first is not None
    assert desk.emit("fill:1:1", AlertKind.FILL, side="buy") is None
    assert desk.deliver() == 1
    assert desk.deliver() == 0
    (seen,) = receiver.seen
    assert (seen.path, seen.params) == ("/hook", {"token": "abc"})
    assert checked(SECRET, seen.headers["x-stocklab-signature"], seen.body)
    assert not checked(SECRET, seen.headers["x-stocklab-signature"], seen.body + b" ")
    assert seen.headers["x-stocklab-signature"].startswith(f"t={int(START.timestamp())},v1=")
    told = json.loads(seen.body)
    assert told["delivery"] == seen.headers["x-stocklab-delivery"] == desk.deliveries()[0].delivery_id
    assert (told["title"], told["severity"]) == ("Filled: buy 1,200 삼성전자", "info")
    assert told["events"] == [
        {
            "id": first,
            "at": "2026-11-27T06:00:00.000+00:00",
            "params": {"title": "fill:1:1", "side": "buy", "name": "삼성전자", "quantity": 1200, "price_krw": 71900},
        }
    ]


def test_two_threads_that_know_the_same_fact_tell_it_once(desk: Desk) -> None:
    desk.webhook("http://127.0.0.1:9/")
    made: list[str | None] = []
    start = threading.Barrier(4)

    def tell() -> None:
        start.wait()
        made.extend(desk.emit(f"fact:{number}") for number in range(6))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in made if one is not None]) == 6
    assert len(desk.deliveries()) == 6


def test_a_failure_is_tried_again_after_growing_pauses_under_the_same_id(desk: Desk, receiver: Receiver) -> None:
    desk.webhook(receiver.url)
    receiver.fail(Fault.ERROR_500, times=2)
    receiver.fail(Fault.RESET)
    desk.emit("one")
    desk.emit("two")
    pauses = []
    while any(row.state != "sent" for row in desk.deliveries()):
        desk.deliver()
        waiting = desk.deliveries()[0]
        if waiting.state == "sent":
            break
        assert desk.outbox.due(desk.now) == ()  # nothing before its time, and the second waits behind the first
        pauses.append((waiting.next_at - desk.now).total_seconds())
        desk.now = waiting.next_at
    assert pauses == [5, 30, 120]
    told = receiver.told()
    assert [one["events"][0]["params"]["title"] for one in told] == ["one"] * 4 + ["two"]
    assert len({one["delivery"] for one in told[:4]}) == 1
    channel = desk.channels.list(ADA)[0]
    assert (channel.last_error, channel.last_ok_at) == ("", desk.now)


def test_it_gives_up_in_the_end_and_says_why(desk: Desk, receiver: Receiver) -> None:
    desk.webhook(receiver.url)
    receiver.status = 404
    desk.emit("lost")
    tries = 0
    while desk.deliveries()[0].state != "given_up":
        desk.deliver()
        tries += 1
        desk.now = max(desk.now, desk.deliveries()[0].next_at)
    assert tries == len(receiver.seen) == 9
    assert desk.deliveries()[0].last_error == "It answered 404."
    receiver.status = 422  # this message will never be taken
    desk.emit("odd")
    desk.emit("next")
    desk.deliver()
    assert [row.state for row in desk.deliveries()] == ["given_up"] * 3
    assert [row.attempts for row in desk.deliveries()] == [9, 1, 1]


def test_it_waits_as_long_as_a_busy_receiver_asks(desk: Desk, receiver: Receiver) -> None:
    desk.webhook(receiver.url)
    receiver.fail(Fault.TOO_MANY, seconds=90)
    desk.emit("one")
    desk.deliver()
    assert desk.deliveries()[0].next_at == START + timedelta(seconds=90)


def test_a_redirect_is_not_followed(desk: Desk, receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        receiver.redirect = elsewhere.url
        desk.webhook(receiver.url)
        desk.emit("one")
        desk.deliver()
        assert elsewhere.seen == []
    assert desk.deliveries()[0].last_error == "It answered 307, which leads elsewhere; redirects are not followed."


def test_a_slow_channel_holds_back_no_other(desk: Desk, receiver: Receiver) -> None:
    with Receiver() as slow:
        slow.fail(Fault.SLOW, seconds=0.6, times=9)
        desk.webhook(slow.url, name="slow")
        desk.webhook("http://127.0.0.1:1/", name="nobody listens")
        desk.webhook(receiver.url, name="well")
        for number in range(3):
            desk.emit(f"fact {number}")
        thread = threading.Thread(target=desk.deliver)
        started = time.monotonic()
        thread.start()
        while len(receiver.seen) < 3:
            assert time.monotonic() - started < 20
            time.sleep(0.01)
        assert len(slow.seen) <= 1
        thread.join()
        assert len(slow.seen) == 3


def test_a_burst_becomes_one_summary_and_another_kind_passes_by(desk: Desk, receiver: Receiver) -> None:
    desk.webhook(receiver.url)
    for number in range(30):
        desk.emit(f"filing {number}", filed_on="2026-11-27", symbol="005930", name="삼성전자")
    assert desk.deliver() == 5
    desk.wait(seconds=10)
    desk.emit("stopped", AlertKind.KILL_SWITCH, switch=True, scope="account")
    desk.emit("filing 30")
    assert desk.deliver() == 1
    assert receiver.told()[-1]["kind"] == "kill_switch"
    desk.wait(seconds=49)
    assert desk.deliver() == 0
    receiver.fail(Fault.ERROR_500)
    desk.wait(seconds=1)
    assert desk.deliver() == 0
    desk.emit("filing 31")  # it is not put into a summary that the receiver may have seen
    desk.wait(seconds=5)
    assert desk.deliver() == 2
    failed, summary, after = receiver.told()[-3:]
    assert failed == summary
    assert [one["params"]["title"] for one in summary["events"]] == [f"filing {number}" for number in range(5, 31)]
    assert summary["title"].startswith("26 alerts: ")
    assert summary["text"].endswith("… and 6 more")
    assert after["events"][0]["params"]["title"] == "filing 31"
    assert {row.state for row in desk.deliveries()} == {"sent"}


def test_a_kill_between_sending_and_writing_sends_again_under_the_same_id(
    desk: Desk, receiver: Receiver, empty_url: str, tmp_path: Path
) -> None:
    channel = desk.webhook(receiver.url)
    receiver.fail(Fault.SLOW, seconds=30)
    desk.emit("one")
    command = [sys.executable, "-c", KILLED, empty_url, str(tmp_path), channel, desk.now.isoformat()]
    with subprocess.Popen(command, cwd=ROOT) as process:
        deadline = time.monotonic() + 60
        while not receiver.seen and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    desk.wait(seconds=59)
    assert desk.deliver() == 0  # for all we know its sender lives
    desk.wait(seconds=1)
    assert desk.deliver() == 1
    first, second = receiver.told()
    assert first == second
    assert desk.deliveries()[0].attempts == 2


def test_a_test_passes_what_waits_and_lets_it_go_when_it_arrives(desk: Desk, receiver: Receiver) -> None:
    channel = desk.webhook(receiver.url)
    receiver.fail(Fault.ERROR_500, times=2)
    desk.emit("one")
    desk.deliver()
    desk.channels.ask_for_test(ADA, channel, now=desk.now)
    desk.deliver()
    trial = desk.channels.trials(ADA)[channel]
    assert (trial.state, trial.error) == ("given_up", "It answered 500.")
    desk.channels.ask_for_test(ADA, channel, now=desk.now)
    assert desk.deliver() == 2
    assert [one["kind"] for one in receiver.told()] == ["disclosure", "test", "test", "disclosure"]
    trial = desk.channels.trials(ADA)[channel]
    assert (trial.state, trial.error, trial.sent_at) == ("sent", "", desk.now)


def test_what_is_a_day_old_is_not_sent_any_more(desk: Desk, receiver: Receiver) -> None:
    channel = desk.webhook(receiver.url)
    desk.channels.set_active(ADA, channel, False)
    desk.emit("told to nobody")
    desk.channels.set_active(ADA, channel, True)
    desk.emit("old")
    desk.wait(hours=25)
    desk.emit("new")
    assert desk.deliver() == 1
    assert [one["events"][0]["params"]["title"] for one in receiver.told()] == ["new"]
    assert [row.state for row in desk.deliveries()] == ["given_up", "sent"]
    desk.wait(days=29)
    desk.emit("waits")
    assert forget_old_alerts(desk.database, desk.now) == 1
    desk.wait(days=380)
    assert forget_old_alerts(desk.database, desk.now) == 4
    assert [row.state for row in desk.deliveries()] == ["waiting"]


def test_an_alert_goes_with_the_transaction_that_knows_it(desk: Desk, receiver: Receiver) -> None:
    desk.webhook(receiver.url)

    class Undone(Exception):
        pass

    for fails in (True, False):
        try:
            with desk.database.write(ADA) as session:
                desk.alerts.emit(ADA, AlertKind.HALT, dedupe_key="halt", params={}, session=session, now=desk.now)
                if fails:
                    raise Undone
        except Undone:
            assert desk.deliveries() == []
    assert desk.deliver() == 1


def test_owners_get_their_own_and_channels_that_were_chosen(desk: Desk, receiver: Receiver) -> None:
    mine = desk.webhook(f"{receiver.url}/mine")
    desk.webhook(f"{receiver.url}/other")
    desk.webhook(f"{receiver.url}/ben", owner=BEN)
    desk.alerts.emit(ADA, AlertKind.HALT, dedupe_key="one", params={}, channels=[mine], now=desk.now)
    desk.alerts.emit(BEN, AlertKind.HALT, dedupe_key="one", params={}, now=desk.now)
    assert desk.deliver() == 2
    assert sorted(seen.path for seen in receiver.seen) == ["/ben", "/mine"]
    with desk.database.read(BEN) as session:
        assert [row.owner_id for row in session.query(AlertEventRow)] == [BEN]
    assert [one.kind for one in desk.channels.list(BEN)] == [ChannelKind.WEBHOOK]
