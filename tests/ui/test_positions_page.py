"""What accounts hold and could lose, on the pages of positions and risk."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from house import House
from people import counted
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from stocklab.brokers.values import BrokerName
from stocklab.data.sources.calls import now_kst
from stocklab.db import BookEntryRow, GuardRow, LastQuoteRow, TradingDayRow
from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.live.guards import Guards
from stocklab.live.losses import losses_of
from stocklab.live.owned_book import OwnedBooks
from stocklab.operations import open_sealer
from stocklab.portfolios import Lab, shared_lab
from stocklab.trading import OUTSIDE
from stocklab.trading.stress_scenarios import SCENARIOS
from stocklab.ui import emergency
from stocklab.ui.risk.words import SCENARIO_NAMES

KEYS = {"app_key": "an-app-key", "secret_key": "a-secret-key-of-kiwoom", "account": "8012345611"}


def said(page: AppTest) -> str:
    assert not page.exception
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success", "html")
    texts = [
        str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for kind in kinds for part in page.get(kind)
    ]
    return "\n".join([*texts, *(f"{part.label}={part.value}" for part in page.metric)])


def linked(lab: Lab, owner: str = "local", name: str = "모의 키움") -> LinkedAccount:
    emergency.forget()
    accounts = BrokerAccounts(lab.database, open_sealer(lab.settings))
    return accounts.link(owner, BrokerName.KIWOOM, mock=True, name=name, entered=KEYS)


def booked(lab: Lab, account: LinkedAccount, *entries: tuple[str, str | None, int, int]) -> None:
    """Kind, symbol, quantity and cash of what happened an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    with lab.database.write() as session:
        for kind, symbol, quantity, cash in entries:
            session.add(
                BookEntryRow(
                    account_id=account.id,
                    owner_id=account.owner_id,
                    sleeve_id=OUTSIDE,
                    kind=kind,
                    symbol=symbol,
                    quantity=Decimal(quantity),
                    cash_krw=Decimal(cash),
                    at=at,
                )
            )


def quoted(lab: Lab, symbol: str, price: int, *, source: str = "socket", age: timedelta = timedelta()) -> None:
    with lab.database.write() as session:
        at = datetime.now(UTC) - age
        session.merge(LastQuoteRow(symbol=symbol, price_krw=Decimal(price), source=source, halted=False, at=at))


def closed(lab: Lab, account: LinkedAccount, *days: tuple[int, int, int]) -> None:
    """Days ago, equity and flow; each kept two days before now at the latest."""
    with lab.database.write() as session:
        for ago, equity, flow in days:
            session.add(
                TradingDayRow(
                    account_id=account.id,
                    owner_id=account.owner_id,
                    sleeve_id="",
                    session=now_kst().date() - timedelta(days=ago),
                    equity_krw=Decimal(equity),
                    cash_krw=Decimal(0),
                    flow_krw=Decimal(flow),
                    document={},
                    closed_at=datetime.now(UTC) - timedelta(days=ago),
                )
            )


@pytest.fixture
def lab(empty_pages) -> Lab:
    empty_pages()
    return shared_lab()


@pytest.mark.parametrize(("language", "words"), [("ko", "아직 연결한 계좌가 없습니다"), ("en", "No account is linked")])
@pytest.mark.parametrize("name", ["positions", "risk"])
def test_without_an_account_both_pages_say_so(empty_pages, name: str, language: str, words: str) -> None:
    assert words in said(empty_pages(name, lang=language))


def test_positions_tell_cost_price_and_profit(empty_pages, lab: Lab) -> None:
    account = linked(lab, name="*mine*")
    booked(
        lab,
        account,
        ("cash_elsewhere", None, 0, 2_000_000),
        ("buy", "005930", 10, -700_000),
        ("sell", "005930", -4, 300_000),  # cost 280,000: 20,000 realised
        ("buy", "000660", 1, -200_000),
    )
    quoted(lab, "005930", 80_000, age=timedelta(minutes=9))
    closed(lab, account, (3, 1_000_000, 0), (2, 2_100_000, 1_000_000))
    shown = said(empty_pages("positions", lang="en"))
    # cash 1,400,000; 6 x 80,000 and 200,000 at cost: 2,080,000; unrealised 480,000 - 420,000
    for words in ("Equity=₩2.08M", "Cash=₩1.40M", "Unrealised profit=+₩60,000", "Realised profit=+₩20,000"):
        assert words in shown
    for words in ("+₩60,000 (+14.29%)", "₩70,000", "9 min", "delayed", "no price: counted at cost", r"\*mine\*"):
        assert words in shown
    assert "+5.00%" in shown  # 2,100,000 of 1,000,000 and the deposit of 1,000,000
    assert "+₩1.00M" in shown


def test_a_stop_is_added_changed_paused_and_removed(empty_pages, lab: Lab) -> None:
    booked(lab, linked(lab), ("unexplained", "005930", 10, -700_000))
    page = empty_pages("positions", lang="en")
    assert "The broker keeps no stop order" in said(page)
    assert "No stop and no target yet" in said(page)
    page.number_input(key="field_guard_percent_new").set_value(7.5).run()
    page.button(key="guard_add").click().run()
    guards = Guards(lab.database)
    (made,) = guards.page("local").items
    assert (made.symbol, made.kind, made.fraction, made.level_krw) == ("005930", "stop", Decimal("0.075"), None)
    assert "No live price: it cannot fire now" in said(page)
    page.button(key="guard_add").click().run()
    assert "at work already" in page.error[0].value
    page.number_input(key=f"field_guard_percent_{made.id}").set_value(12.0).run()
    page.button(key=f"guard_save_{made.id}").click().run()
    assert guards.get("local", made.id).fraction == Decimal("0.12")
    page.button(key=f"guard_pause_{made.id}").click().run()
    assert guards.get("local", made.id).state == "paused"
    page.button(key=f"guard_resume_{made.id}").click().run()
    assert guards.get("local", made.id).state == "active"
    with lab.database.write() as session:
        session.execute(update(GuardRow).values(state="fired", fired_at=datetime.now(UTC)))
    shown = said(empty_pages("positions", lang="en"))
    assert "fired at" in shown
    assert "No live price" not in shown
    with lab.database.write() as session:
        session.execute(update(GuardRow).values(state="active", fired_at=None))
    quoted(lab, "005930", 80_000)
    page = empty_pages("positions", lang="en")
    assert "No live price" not in said(page)
    page.button(key=f"guard_delete_{made.id}").click().run()
    assert guards.page("local").items == ()


def test_losses_stand_on_their_ladder_as_the_engine_counts_them(empty_pages, lab: Lab) -> None:
    account = linked(lab)
    booked(lab, account, ("cash_elsewhere", None, 0, 960_000))
    with lab.database.write() as session:
        for row in session.query(BookEntryRow):
            row.at = datetime.now(UTC) - timedelta(days=9)
    closed(lab, account, (2, 1_200_000, 0), (1, 1_000_000, 0))
    shown = said(empty_pages("risk", lang="en"))
    assert "-4.00%" in shown  # of 1,000,000
    assert "-20.00%" in shown  # of 1,200,000
    assert "Nothing is held" in shown
    now = datetime.now(UTC)
    (mine,) = OwnedBooks(lab.database).show("local", now, look_up=lambda _symbol: None).accounts
    assert mine.lost == losses_of(lab.database, account.id, Decimal(960_000), now, now_kst().date())


def test_an_unknown_market_is_named_and_in_no_figure(empty_pages, lab: Lab) -> None:
    booked(lab, linked(lab), ("unexplained", "005930", 10, -700_000))
    shown = said(empty_pages("risk", lang="en"))
    assert "The market of 005930 is unknown" in shown
    assert "Nothing that can be measured is held" in shown


def test_risk_of_a_loaded_book(pages) -> None:
    lab = shared_lab()
    panel = lab.panel()
    symbol = next(code for place, code in enumerate(panel.symbols) if panel.fields["list_age"][-1, place] > 600)
    account = linked(lab)
    booked(
        lab,
        account,
        ("cash_elsewhere", None, 0, 3_000_000),
        ("unexplained", symbol, 10, -1_000_000),
        ("unexplained", "KRW-XYZ", 2, -50_000),
    )
    shown = said(pages("risk", lang="en"))
    for words in ("95%, one day", "99%, ten days", "Parts by holding", "COVID-19", "closes at its lower limit"):
        assert words in shown
    assert "Not covered:" in shown
    assert "KRW-XYZ" in shown
    assert "가치" not in shown
    assert "역사적 VaR" in said(pages("risk", lang="ko"))
    assert "Weights" in said(pages("positions", lang="en"))


def test_every_scenario_has_its_name() -> None:
    assert {one.scenario_id: one.name for one in SCENARIOS} == SCENARIO_NAMES
    assert all(one.start < one.end < date(2026, 1, 1) for one in SCENARIOS)


def test_a_book_is_read_in_a_fixed_number_of_statements(empty_pages, lab: Lab) -> None:
    for number in range(3):
        account = linked(lab, name=f"account {number}")
        booked(lab, account, ("unexplained", f"00593{number}", 1, -1))
        with counted(lab.database) as sent:
            OwnedBooks(lab.database).show("local", datetime.now(UTC), look_up=lambda _symbol: None)
        assert len(sent) == 5


@pytest.mark.parametrize("name", ["positions", "risk"])
def test_nobody_sees_what_others_hold(house: House, name: str) -> None:
    ada, ben = house.join(f"ada-{name}"), house.join(f"ben-{name}")
    booked(house.lab, linked(house.lab, ada.id, "private name"), ("unexplained", "005930", 10, -700_000))
    assert "private name" in said(house.pages(name, who=house.enter(ada)))
    assert "private name" not in said(house.pages(name, who=house.enter(ben)))
    assert "logged out" in said(house.pages(name))


@pytest.mark.parametrize("name", ["positions", "risk"])
def test_entries_that_make_no_book_are_an_error_in_words(empty_pages, lab: Lab, name: str) -> None:
    booked(lab, linked(lab), ("sell", "005930", -1, 70_000))
    page = empty_pages(name, lang="en")
    assert not page.exception
    assert "005930" in page.error[0].value
