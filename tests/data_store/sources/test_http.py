"""The HTTP client of sources: bounded retries, waits within their limits, an end at once, a breaker that holds."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from fakes.http_service import FakeService, Fault, Reply, Seen, json_reply

from stocklab.data.sources import http
from stocklab.data.sources.calls import KST, MemoryCalls, now_kst
from stocklab.data.sources.http import Pace, SourceClient, json_of
from stocklab.errors import Cancelled, SourceBlocked, SourceChanged, SourceExhausted, SourceTemporary


class Echo(FakeService):
    """Answers with what it was asked; ``status`` and ``headers`` may be set."""

    status = 200
    headers: dict[str, str] = {}  # noqa: RUF012

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        return json_reply({"path": seen.path, "params": dict(seen.params)}, self.status, self.headers)


@dataclass
class Noted(MemoryCalls):
    """Keeps what is noted for the health page."""

    notes: list[tuple[bool, str]] = field(default_factory=list)

    def note(self, source: str, *, ok: bool, message: str = "") -> None:
        self.notes.append((ok, message))


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as service:
        yield service


@pytest.fixture
def ledger() -> Noted:
    return Noted()


@pytest.fixture
def client(echo: Echo, ledger: Noted, quick: Callable[..., Pace]) -> Iterator[Callable[..., SourceClient]]:
    made: list[SourceClient] = []

    def make(**changes: object) -> SourceClient:
        stop = changes.pop("stop", threading.Event())
        made.append(SourceClient("echo", echo.url, quick(**changes), ledger, stop=stop))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_an_answer_and_its_note(client: Callable[..., SourceClient], ledger: Noted, echo: Echo) -> None:
    answer = client().get("/a", {"q": "값+/="})
    assert json_of("echo", answer) == {"path": "/a", "params": {"q": "값+/="}}
    assert ledger.notes == [(True, "")]
    assert len(echo.seen) == ledger.taken("echo") == 1


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_tries_are_bounded_and_each_counts(
    client: Callable[..., SourceClient], ledger: Noted, echo: Echo, attempts: int
) -> None:
    echo.status = 503
    with pytest.raises(SourceTemporary, match=f"after {attempts} tries .status 503"):
        client(attempts=attempts, first_wait_seconds=0.002).get("/")
    assert len(echo.seen) == ledger.taken("echo") == attempts
    assert ledger.notes == [(False, "status 503")]


@pytest.mark.parametrize("status", [301, 400, 404, 418])
def test_a_status_the_protocol_lacks_is_not_tried_again(
    client: Callable[..., SourceClient], echo: Echo, status: int
) -> None:
    echo.status = status
    with pytest.raises(SourceChanged, match=f"status {status}; found"):
        client().get("/")
    assert len(echo.seen) == 1


def test_waits_double_between_half_and_whole(client: Callable[..., SourceClient], echo: Echo) -> None:
    echo.status = 500
    with pytest.raises(SourceTemporary):
        client(attempts=5, first_wait_seconds=0.08, longest_wait_seconds=0.2).get("/")
    for gap, longest in zip(echo.gaps(), (0.08, 0.16, 0.2, 0.2), strict=True):
        assert longest / 2 <= gap < longest + 5.0  # the machine may be late, never early


def test_the_waits_are_drawn(client: Callable[..., SourceClient], echo: Echo) -> None:
    echo.status = 500
    with pytest.raises(SourceTemporary):
        client(attempts=8, first_wait_seconds=0.04, longest_wait_seconds=0.04).get("/")
    assert len({round(gap, 4) for gap in echo.gaps()}) > 3


def test_the_service_says_how_long(client: Callable[..., SourceClient], echo: Echo) -> None:
    echo.fail(Fault.TOO_MANY, seconds=1)
    client(longest_wait_seconds=2.0).get("/")
    assert 1.0 <= echo.gaps()[0] < 8.0


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_long_wait_opens_the_breaker(
    client: Callable[..., SourceClient], echo: Echo, ledger: Noted, form: str
) -> None:
    until = now_kst() + timedelta(hours=1)
    echo.status = 503
    echo.headers = {"Retry-After": "3600" if form == "seconds" else format_datetime(until)}
    one = client()
    with pytest.raises(SourceBlocked) as first:
        one.get("/")
    assert abs(first.value.until - until) < timedelta(seconds=30)
    echo.status = 200
    with pytest.raises(SourceBlocked, match="status 503"):
        client().get("/")
    assert len(echo.seen) == 1
    assert len(ledger.notes) == 1  # the second was never sent


@pytest.mark.parametrize("given", ["9" * 400, "315360000", "\xb2", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_senseless_wait_is_bounded(client: Callable[..., SourceClient], echo: Echo, given: str) -> None:
    echo.status, echo.headers = 503, {"Retry-After": given}
    with pytest.raises((SourceBlocked, SourceTemporary)) as error:
        client().get("/")
    if isinstance(error.value, SourceBlocked):
        assert error.value.until <= now_kst() + timedelta(days=7)


class Hostile(FakeService):
    """Answers without an end, slowly or fast."""

    reply = Reply()

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        return self.reply


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile() as service:
        yield service


def test_an_answer_that_trickles_ends(hostile: Hostile, quick: Callable[..., Pace]) -> None:
    hostile.reply = Reply(body=b" " * 10_000, trickle=0.02)
    with SourceClient("hostile", hostile.url, quick(attempts=1, timeout_seconds=0.1), MemoryCalls()) as one:
        with pytest.raises(SourceTemporary, match="too long"):
            one.get("/")
        timer = threading.Timer(0.1, one.stop.set)
        timer.start()
        with pytest.raises(Cancelled):
            one.get("/")
        timer.join()


def test_an_answer_is_bounded_unpacked(
    hostile: Hostile, quick: Callable[..., Pace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_LARGEST_BODY", 4 << 20)
    bomb = gzip.compress(bytes(8 << 20))
    hostile.reply = Reply(body=bomb, headers={"Content-Encoding": "gzip"})
    client = SourceClient("hostile", hostile.url, quick(), MemoryCalls())
    with client as one, pytest.raises(SourceChanged, match="more than 4 MB"):
        one.get("/")
    assert len(hostile.seen) == 1
    hostile.reply = Reply(body=gzip.compress("값".encode()), headers={"Content-Encoding": "gzip"})
    with SourceClient("hostile", hostile.url, quick(), MemoryCalls()) as one:
        assert one.get("/").text == "값"


@pytest.mark.parametrize("status", [200, 403, 404])
def test_an_answer_that_echoes_a_key_shows_it_nowhere(
    hostile: Hostile, quick: Callable[..., Pace], ledger: Noted, status: int
) -> None:
    key = "verysecret+/=="
    page = f"<p>GET /x?serviceKey={quote(key, safe='')} and {key} are not allowed here"
    hostile.reply = Reply(status=status, body=page.encode())
    with SourceClient("hostile", hostile.url, quick(), ledger, secrets=(key, "")) as one:
        with pytest.raises(SourceChanged, match=r"[(]key[)] and [(]key[)] are") as error:
            json_of("hostile", one.get("/x", {"serviceKey": key}))
        assert key not in repr(one)
    told = f"{error.value!r} {error.value.found} {ledger.notes}"
    assert "verysecret" not in told


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"price": NaN}', b"[-Infinity]"], ids=["deep", "nan", "inf"])
def test_what_only_looks_like_json_is_none(hostile: Hostile, quick: Callable[..., Pace], body: bytes) -> None:
    hostile.reply = Reply(body=body)
    client = SourceClient("hostile", hostile.url, quick(), MemoryCalls())
    with client as one, pytest.raises(SourceChanged, match="expected JSON"):
        json_of("hostile", one.get("/"))


def test_the_breaker_closes_when_its_time_is_over(echo: Echo, quick: Callable[..., Pace]) -> None:
    now = [datetime(2024, 1, 8, 9, 0, tzinfo=KST)]
    calls = MemoryCalls(clock=lambda: now[0])
    calls.block("echo", until=now[0] + timedelta(minutes=10), reason="asked to rest")
    with SourceClient("echo", echo.url, quick(), calls) as one:
        with pytest.raises(SourceBlocked, match="asked to rest"):
            one.get("/")
        now[0] += timedelta(minutes=10)
        one.get("/")
    assert len(echo.seen) == 1


def test_the_budget_is_of_a_day_in_seoul(echo: Echo, quick: Callable[..., Pace]) -> None:
    now = [datetime(2024, 1, 8, 23, 59, tzinfo=KST)]
    calls = MemoryCalls(clock=lambda: now[0])
    with SourceClient("echo", echo.url, quick(budget=2, attempts=5), calls) as one:
        one.get("/")
        echo.status = 500
        with pytest.raises(SourceExhausted, match="2 requests"):
            one.get("/")
        assert len(echo.seen) == 2
        echo.status = 200
        now[0] += timedelta(minutes=1)
        one.get("/")
    assert len(echo.seen) == 3


@pytest.mark.parametrize("wait", ["retry", "pace", "pause"])
def test_a_stop_ends_a_wait_at_once(client: Callable[..., SourceClient], echo: Echo, ledger: Noted, wait: str) -> None:
    stop = threading.Event()
    long = {
        "retry": {"first_wait_seconds": 60.0, "longest_wait_seconds": 60.0},
        "pace": {"least_gap_seconds": 60.0, "most_gap_seconds": 60.0},
        "pause": {},
    }
    one = client(stop=stop, **long[wait])
    if wait == "retry":
        echo.status = 500
    else:
        one.get("/")
        one.pause(60.0 if wait == "pause" else 0.0)
    asked, noted = len(echo.seen), len(ledger.notes)
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        one.get("/")
    timer.join()
    assert time.monotonic() - started < 5.0
    assert len(echo.seen) - asked == (1 if wait == "retry" else 0)
    assert len(ledger.notes) == noted
    with pytest.raises(Cancelled):
        one.get("/")


def test_the_pace_is_between_beginnings(client: Callable[..., SourceClient], echo: Echo) -> None:
    one = client(least_gap_seconds=0.05, most_gap_seconds=0.08)
    for _ in range(6):
        one.get("/")
    assert min(echo.gaps()) >= 0.02  # the first of two may arrive late
    assert sum(echo.gaps()) >= 5 * 0.05 - 0.03


def test_two_clients_of_a_service_keep_its_pace_together(client: Callable[..., SourceClient], echo: Echo) -> None:
    two = [client(least_gap_seconds=0.06, most_gap_seconds=0.08) for _ in range(2)]
    threads = [threading.Thread(target=lambda one=one: [one.get("/") for _ in range(4)]) for one in two]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(echo.seen) == 8
    assert time.monotonic() - started >= 7 * 0.06


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CUT, Fault.SLOW], ids=lambda fault: fault.value)
def test_a_broken_connection_is_tried_again(client: Callable[..., SourceClient], echo: Echo, fault: Fault) -> None:
    echo.fail(fault, seconds=2.0)
    answer = client(timeout_seconds=0.4).get("/again")
    assert json_of("echo", answer)["path"] == "/again"
    assert len(echo.seen) == 2


def test_a_body_that_cannot_be_unpacked_is_tried_again(client: Callable[..., SourceClient], echo: Echo) -> None:
    echo.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(SourceTemporary, match="DecodingError"):
        client().get("/")
    assert len(echo.seen) == 3


def test_errors_do_not_show_the_query(client: Callable[..., SourceClient], echo: Echo) -> None:
    echo.fail(Fault.RESET, times=10)
    with pytest.raises(SourceTemporary) as error:
        client().get("/", {"serviceKey": "verysecret"})
    text = f"{error.value!r} {error.value.__cause__!r} {error.value.__cause__.__cause__!r}"  # type: ignore[union-attr]
    assert "verysecret" not in text


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.TRUNCATED, Fault.EMPTY_BODY], ids=lambda fault: fault.value)
def test_what_is_not_json_is_quoted(client: Callable[..., SourceClient], echo: Echo, fault: Fault) -> None:
    echo.fail(fault)
    with pytest.raises(SourceChanged, match="expected JSON"):
        json_of("echo", client().get("/"))
