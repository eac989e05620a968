"""The real pykrx in its process, against a fake KRX Data Marketplace; and what the feeds make of its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import psutil
import pytest
from fakes.krx_marketplace import FakeKrx
from fakes.socket_server import Fault

from stocklab.data.datasets import conform
from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.feed import AnswerState, Window
from stocklab.data.sources.http import Pace
from stocklab.data.sources.pykrx import FAULTS, LOGIN_REQUESTS, PACE, Account, PykrxSession
from stocklab.data.sources.pykrx_feeds import Flows, Foreign, Members, Short
from stocklab.errors import SourceBlocked, SourceChanged, SourceDenied, SourceExhausted, SourceTemporary

FAST = replace(PACE, least_gap_seconds=0.3, most_gap_seconds=0.4, timeout_seconds=9.0)
NOW = datetime(2026, 11, 26, 19, 0, tzinfo=KST)
ACCOUNT = Account(user="person", password="pass word&1")
DAY = "2026-11-24"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def fake() -> Iterator[FakeKrx]:
    with FakeKrx() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls(clock: Clock) -> MemoryCalls:
    return MemoryCalls(clock=clock)


@pytest.fixture
def session(fake: FakeKrx, calls: MemoryCalls, clock: Clock) -> Iterator[Callable[..., PykrxSession]]:
    opened: list[PykrxSession] = []

    def make(pace: Pace = FAST, account: Account = ACCOUNT) -> PykrxSession:
        one = PykrxSession(base_url=fake.url, account=account, calls=calls, pace=pace, clock=clock)
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()


def _children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "pykrx_child" in " ".join(child.cmdline())]


def test_a_day_through_the_real_pykrx(
    fake: FakeKrx,
    calls: MemoryCalls,
    session: Callable[..., PykrxSession],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake.in_use = True  # logged in elsewhere: pykrx takes the session over
    fake.dashes = {"000020"}
    fake.big = 3_000_000_000
    monkeypatch.setenv("STOCKLAB_OPENDART_KEY", "secret")
    here = session()
    flows = Flows(session=here).fetch(DAY).frames["investor_flows"]
    foreign = Foreign(session=here).fetch(DAY)
    short = Short(session=here).fetch(DAY).frames["short_sales"]
    members = Members(session=here).fetch(DAY).frames["members"]

    day = date(2026, 11, 24)
    by_symbol = {row[1]: row[2:] for row in conform("investor_flows", flows).iter_rows()}
    assert by_symbol["000010"] == (9_000_000_000 + 9_001_000_000, 7_050_000_000, 6_000_000_000)
    assert by_symbol["000020"] == (None, None, None)  # "-" is not zero
    assert by_symbol["000040"] == (-9_000_000_003, -7_050_000_003, -6_000_000_003)
    held = conform("foreign_holdings", foreign.frames["foreign_holdings"])
    assert held.filter(symbol="000030").rows() == [(day, "000030", 3_000_000_002)]  # beyond 32 bits, to the share
    assert "000020" not in held["symbol"]
    assert "1 symbols" in foreign.note
    sold = conform("short_sales", short)
    assert sold.height == len(fake.symbols) - 1
    assert sold.filter(symbol="0015G0").rows() == [(day, "0015G0", 18_502, 3_055_000_000)]
    counts = {name: part.height for (name,), part in members.group_by("name")}
    assert counts == {"KOSPI200": 200, "KOSDAQ150": 150}
    assert set(members["session"]) == {day}

    # one process, one log-in, in time, and no more requests than were counted
    assert len(_children()) == 1
    assert len(fake.logins) == 2
    assert len(fake.data) == 11
    assert calls.taken("pykrx") == 11 + LOGIN_REQUESTS == len(fake.asked)
    times = [one.at for one in fake.data]
    assert min(np.diff(times)) >= 0.3
    assert not [name for name in _children()[0].environ() if name.startswith("STOCKLAB_")]
    shown = capfd.readouterr()
    assert "KRX" not in shown.out + shown.err  # what pykrx prints, such as the account's name, goes nowhere

    # no answer: the process ends, and nobody asks for a minute
    fake.faults.append(Fault.SLOW)
    with pytest.raises(SourceTemporary, match="timeout"):
        Foreign(session=here).fetch(DAY)
    assert _children() == []
    before = len(fake.asked)
    with pytest.raises(SourceBlocked) as blocked:
        Foreign(session=here).fetch(DAY)
    assert blocked.value.until - NOW == timedelta(minutes=1)
    assert len(fake.asked) == before


@pytest.mark.parametrize(("faults", "minutes"), [(1, 5), (7, 60)])
def test_waits_grow_with_the_faults_of_the_day(
    fake: FakeKrx, calls: MemoryCalls, session: Callable[..., PykrxSession], faults: int, minutes: int
) -> None:
    for _ in range(faults):
        calls.take(FAULTS, budget=None)
    fake.logged_out = faults == 1
    fake.always = Fault.HTML if faults == 7 else None
    with pytest.raises(SourceTemporary, match="logout" if fake.logged_out else "html"):
        session().table("foreign", day="20261124")
    with pytest.raises(SourceBlocked) as blocked:
        session().table("foreign", day="20261124")
    assert blocked.value.until - NOW == timedelta(minutes=minutes)
    assert len(fake.data) == fake.logged_out


def test_the_block_page_is_left_alone_for_a_day(fake: FakeKrx, session: Callable[..., PykrxSession]) -> None:
    fake.blocked, fake.block_status = True, 200
    with pytest.raises(SourceBlocked) as blocked:
        session().table("foreign", day="20261124")
    assert blocked.value.until - NOW == timedelta(hours=24)
    assert len(fake.asked) == 1


def test_a_refused_account_is_never_tried_again_by_itself(
    fake: FakeKrx, clock: Clock, session: Callable[..., PykrxSession]
) -> None:
    wrong = Account(user="person", password="old")
    with pytest.raises(SourceDenied):
        session(account=wrong).table("foreign", day="20261124")
    assert len(fake.logins) == 1
    clock.now += timedelta(days=30)
    with pytest.raises(SourceDenied, match="settings"):
        session(account=wrong).table("foreign", day="20261124")
    assert len(fake.logins) == 1
    assert "old" not in wrong.name()
    assert "person" not in repr(wrong)


@pytest.mark.parametrize("at", ["2026-11-26T14:50:00+09:00", "2026-11-26T15:39:59+09:00"])
def test_nobody_asks_while_the_session_closes(
    fake: FakeKrx, clock: Clock, session: Callable[..., PykrxSession], at: str
) -> None:
    clock.now = datetime.fromisoformat(at)
    with pytest.raises(SourceBlocked) as blocked:
        session().table("foreign", day="20261124")
    assert (blocked.value.until.hour, blocked.value.until.minute) == (15, 40)
    assert fake.asked == []


def test_the_budget_of_a_day_and_a_process_that_hangs(
    fake: FakeKrx, calls: MemoryCalls, session: Callable[..., PykrxSession]
) -> None:
    here = session(pace=replace(FAST, least_gap_seconds=0, most_gap_seconds=0, timeout_seconds=6.0))
    for _ in range(30 - LOGIN_REQUESTS - 1):
        here.table("members", day="20261124", index="1028")
    _children()[0].suspend()
    with pytest.raises(SourceTemporary, match="no answer from the process"):
        here.table("members", day="20261124", index="1028")
    assert _children() == []
    assert len(fake.asked) <= calls.taken("pykrx") == 30
    calls.block("pykrx", until=NOW, reason="over")
    with pytest.raises(SourceExhausted):
        here.table("members", day="20261124", index="1028")
    assert (PACE.least_gap_seconds, PACE.most_gap_seconds, PACE.budget) == (2.0, 4.0, 30)


# --- feeds over tables as they would come -----------------------------------------------------------------------------


class Tables:
    """Tables of the fake without a process between."""

    def __init__(self) -> None:
        self.fake = FakeKrx()
        self.fake.__enter__()
        self.fake.__exit__()

    def table(self, name: str, **arguments: Any) -> list[dict[str, str]]:
        ends = {
            "net_purchases": ("MDCSTAT02401", {"invstTpCd": str(arguments.get("investor")), "strtDd": ""}),
            "foreign": ("MDCSTAT03701", {}),
            "short_trades": ("MDCSTAT30101", {"mktId": arguments.get("market"), "inqCond": "STMFRTSCIFDRFS"}),
            "short_balance": ("MDCSTAT30501", {"mktTpCd": str(arguments.get("market"))}),
            "members": (
                "MDCSTAT00601",
                {"indIdx2": str(arguments.get("index"))[1:], "indIdx": str(arguments.get("index"))[:1]},
            ),
        }
        end, form = ends[name]
        answer = self.fake._table(end, {**form, "trdDd": arguments["day"]})
        return answer.get("output") or answer.get("OutBlock_1") or []


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.mark.parametrize("kind", [Flows, Foreign, Short, Members])
def test_days_without_numbers(tables: Tables, kind: Any) -> None:
    feed = kind(session=tables, clock=lambda: NOW)
    tables.fake.holidays = {"20260217", "20261124", "20271124"}
    assert feed.fetch("2026-02-17").state is AnswerState.EMPTY  # lunar new year
    with pytest.raises(SourceTemporary, match="was open"):
        feed.fetch(DAY)
    assert kind(session=tables, clock=lambda: NOW + timedelta(days=366)).fetch("2027-11-24").state in {
        AnswerState.NOT_YET,
        AnswerState.EMPTY,
    }


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (Flows, "MDCSTAT02401"),
        (Foreign, "MDCSTAT03701"),
        (Short, "MDCSTAT30101"),
        (Short, "MDCSTAT30501"),
        (Members, "MDCSTAT00601"),
    ],
)
def test_an_empty_table_of_a_session_is_a_fault(tables: Tables, kind: Any, end: str) -> None:
    tables.fake.empty = {end}
    with pytest.raises(SourceTemporary, match="although the exchange was open"):
        kind(session=tables, clock=lambda: NOW).fetch(DAY)


def test_tables_that_changed_are_refused(tables: Tables) -> None:
    tables.fake.symbols = tables.fake.symbols[:100]
    with pytest.raises(SourceChanged, match="has 100 members"):
        Members(session=tables).fetch(DAY)
    tables.fake.symbols = ["000010", "000010"]
    with pytest.raises(SourceChanged, match="twice"):
        Foreign(session=tables).fetch(DAY)
    tables.fake.symbols = ["<script>"]
    with pytest.raises(SourceChanged, match="six characters"):
        Foreign(session=tables).fetch(DAY)


def test_sessions_that_are_asked_for() -> None:
    days = np.array(["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"], dtype="datetime64[D]")
    evening = Window(sessions=days, now=NOW)
    early = Window(sessions=days, now=NOW.replace(hour=16))
    nobody: Any = None
    assert Flows(session=nobody).wanted({"2026-11-25": "x"}, evening) == ["2026-11-26", "2026-11-24", "2026-11-23"]
    assert Flows(session=nobody).wanted({}, early)[0] == "2026-11-25"
    assert Foreign(session=nobody).wanted({}, evening)[0] == "2026-11-25"
    assert Short(session=nobody).wanted({}, evening) == ["2026-11-24", "2026-11-23"]
    many = np.arange("2025-01-01", "2026-11-27", dtype="datetime64[D]")
    assert len(Flows(session=nobody).wanted({}, Window(sessions=many, now=NOW))) == 60
