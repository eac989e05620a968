"""Strategies at work on their page: created, previewed, started behind the gate, approved, stopped."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyotp
import pytest
from house import House
from people import PASSWORD, counted
from sqlalchemy import insert, update
from streamlit.testing.v1 import AppTest

from stocklab.accounts import User
from stocklab.backtest.decide import Candidate, Counts, Decision
from stocklab.backtest.sleeve_book import OrderMode, OrderSide, SleeveBook, SleeveOrder
from stocklab.brokers.values import BrokerName
from stocklab.db import AlertChannelRow, BookEntryRow, TraderRow, TradingDayRow
from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.live.decisions import Approval, Decisions
from stocklab.live.permission import Permission, PermissionNeeded
from stocklab.live.switches import Switches
from stocklab.live.trader_board import TraderBoard
from stocklab.live.trader_settings import TraderSettings
from stocklab.live.traders import NewTrader, NotReady, StopWay, Trader, TraderState
from stocklab.operations import open_sealer
from stocklab.portfolios import Lab, shared_lab
from stocklab.strategy import PRESETS
from stocklab.ui import emergency
from stocklab.ui.trading import services

KEYS = {"app_key": "an-app-key", "secret_key": "a-secret-key-of-kiwoom", "account": "8012345611"}
STRATEGY = PRESETS["rsi_reversal"].strategy


def said(page: AppTest) -> str:
    assert not page.exception
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success", "html")
    return "\n".join(
        str(getattr(part, "value", "") or getattr(part.proto, "body", "")) for kind in kinds for part in page.get(kind)
    )


def keys_of(page: AppTest) -> set[str]:
    return {str(part.key) for part in page.button}


def account(lab: Lab, kind: str, owner: str = "local", *, name: str = "an account") -> LinkedAccount:
    emergency.forget()
    accounts = BrokerAccounts(lab.database, open_sealer(lab.settings))
    broker = BrokerName.PAPER if kind == "paper" else BrokerName.KIWOOM
    return accounts.link(owner, broker, mock=kind != "live", name=name, entered={} if kind == "paper" else KEYS)


def draft(lab: Lab, on: LinkedAccount, *, name: str = "a strategy", settings: TraderSettings | None = None) -> Trader:
    new = NewTrader(
        account_id=on.id,
        name=name,
        document=STRATEGY.model_dump(mode="json"),
        capital_krw=10_000_000,
        settings=settings or TraderSettings(),
    )
    return services.traders().create(on.owner_id, new)


def at_work(lab: Lab, trader: Trader, state: TraderState = TraderState.ACTIVE) -> None:
    """What the background process brings about."""
    with lab.database.write() as session:
        session.execute(
            update(TraderRow)
            .where(TraderRow.id == trader.id)
            .values(state=state.value, started_at=datetime(2026, 8, 3, tzinfo=UTC))
        )


def traded(lab: Lab, trader: Trader, days: int, *, gap: int = 1_000) -> None:
    """Days on which it traded: the first with its capital, 1 % up each."""
    with lab.database.write() as session:
        equity = Decimal(10_000_000)
        for number in range(days):
            before, equity = equity, equity * Decimal("1.01")
            session.add(
                TradingDayRow(
                    account_id=trader.account_id,
                    owner_id=trader.owner_id,
                    sleeve_id=trader.id,
                    session=date(2026, 8, 3) + timedelta(days=number),
                    equity_krw=equity,
                    cash_krw=equity - 700_000,
                    flow_krw=Decimal(0 if number else 10_000_000),
                    closed_at=datetime(2026, 8, 3, tzinfo=UTC) + timedelta(days=number),
                    document={
                        "final": True,
                        "positions": {"005930": ["10", "70000"]},
                        "gap_krw": str(gap),
                        "gap": {"price": str(gap), "timing": "-20", "missed": "0", "cost": "20"},
                        "equity_before_krw": str(before),
                        "backtest_equity_krw": str(equity - gap),
                    },
                )
            )
            session.execute(
                insert(BookEntryRow).values(
                    owner_id=trader.owner_id,
                    account_id=trader.account_id,
                    sleeve_id=trader.id,
                    kind="buy",
                    symbol="005930",
                    quantity=Decimal(1),
                    cash_krw=Decimal(-70_000),
                    amount_krw=Decimal(70_000),
                    costs_krw=Decimal(0),
                    at=datetime(2026, 8, 3, tzinfo=UTC),
                )
            )


def alerted(lab: Lab, owner: str, *, tested: datetime | None, ok: datetime | None, active: bool = True) -> None:
    with lab.database.write() as session:
        session.add(
            AlertChannelRow(
                id=f"c{datetime.now(UTC).timestamp()}"[:30],
                owner_id=owner,
                kind="telegram",
                name="phone",
                sealed="sealed",
                active=active,
                tested_at=tested,
                last_ok_at=ok,
            )
        )


@pytest.fixture
def lab(empty_pages) -> Lab:
    empty_pages()
    return shared_lab()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_empty_page_explains_the_way(empty_pages, language: str) -> None:
    page = empty_pages("trading", lang=language)
    words = ("백테스트 → 페이퍼 계좌 → 모의투자 → 실제 돈",) if language == "ko" else ("paper account → mock trading",)
    assert all(one in said(page) for one in words)
    assert ("아직 저장한 전략이 없습니다" if language == "ko" else "No strategy is saved yet") in said(
        empty_pages("trading", lang=language, new="1")
    )


def test_a_saved_strategy_is_put_to_work_on_paper_at_once(pages) -> None:
    pages()
    lab = shared_lab()
    saved = lab.strategies.save("local", STRATEGY)
    assert "No account is linked yet" in said(pages("trading", strategy=saved.id, lang="en"))
    account(lab, "paper")
    page = pages("trading", strategy=saved.id, lang="en")
    page.number_input(key="field_capital").set_value(20_000_000)
    page.toggle(key="field_approval").set_value(True)
    page.number_input(key="field_fraction").set_value(1.5)
    page.button(key="create_trader").click().run()
    shown = said(page)
    assert "any strategy may start here at once" in shown
    assert "Its first purchases" in shown
    assert "for the session of 2026-11-23" in shown  # the demo market ends on Friday 2026-11-20
    assert "in the universe" in shown
    (made,) = services.traders().all("local")
    assert (made.strategy_id, made.strategy_version, made.capital_krw) == (saved.id, saved.version, 20_000_000)
    assert (made.settings.approval, made.settings.fraction) == (True, Decimal("0.015"))
    page = pages("trading", trader=made.id, lang="en")
    page.button(key="start_trader").click().run()
    assert services.traders().get("local", made.id).state is TraderState.STARTING
    assert "Starting" in said(page)


def decision(*orders: SleeveOrder) -> Decision:
    day = date(2026, 11, 20)
    return Decision(
        session=day,
        next_session=date(2026, 11, 23),
        orders=orders,
        refused=(),
        cancelled=(),
        kept=(),
        unsafe=not orders,
        rebalancing=False,
        candidates=(Candidate(symbol="005930", score=None),),
        counts=Counts(universe=80, rules={"A": 7}, entry=7, candidates=6, unknown_scores=1, slots=3, cash=4_000_000),
        equity=10_000_000,
        holdings=6_000_000,
        reserve=0,
        book=SleeveBook.opened(day, 10_000_000),
    )


def order() -> SleeveOrder:
    return SleeveOrder(
        number=1,
        symbol="005930",
        side=OrderSide.BUY,
        mode=OrderMode.OPEN,
        shares=12,
        cause="entry",
        decided=date(2026, 11, 20),
        lives=1,
        reserved=840_000,
    )


def test_an_order_sheet_waits_and_is_approved_and_idle_days_say_why(empty_pages, lab: Lab) -> None:
    trader = draft(lab, account(lab, "paper"), settings=TraderSettings(approval=True))
    at_work(lab, trader)
    trader = services.traders().get("local", trader.id)
    kept = Decisions(lab.database)
    now = datetime.now(UTC)
    sheet = kept.keep(trader, date(2026, 11, 23), decision(order()), snapshot="s", now=now)
    idle = kept.keep(trader, date(2026, 11, 24), decision(), snapshot="s", now=now)
    kept.keep_none(trader, date(2026, 11, 25), "the market *data* end on 2026-11-20", now)
    assert sheet is not None
    assert idle is not None
    assert "Waits for your answer" in said(empty_pages("trading", lang="en"))
    page = empty_pages("trading", trader=trader.id, lang="en")
    shown = said(page)
    for words in ("1 purchases, 0 sales", "Conditions to buy", "80 stocks in the universe, 7 meet", "1 have no score"):
        assert words in shown
    assert "The market filter says not to be invested" in shown
    assert r"the market \*data\* end on" in shown
    page.button(key=f"approve_{sheet.id}").click().run()
    assert kept.page("local", trader_id=trader.id).items[-1].approval is Approval.APPROVED
    assert "Approved" in said(page)
    assert f"approve_{sheet.id}" not in keys_of(page)


@pytest.mark.parametrize("way", list(StopWay))
def test_pause_stop_and_the_emergency_stop_of_one(empty_pages, lab: Lab, way: StopWay) -> None:
    trader = draft(lab, account(lab, "paper"))
    at_work(lab, trader)
    page = empty_pages("trading", trader=trader.id, lang="en")
    page.button(key="pause_trader").click().run()
    page.button(key="resume_trader").click().run()
    page.button(key="trader_stop_now").click().run()
    (switch,) = Switches(lab.database).of("local")
    assert switch.scope == f"sleeve:{trader.id}"
    page.button(key="trader_lift_now").click().run()
    assert Switches(lab.database).of("local") == ()
    page.radio(key="stop_choice").set_value(way).run()
    page.button(key="stop_trader").click().run()
    stopped = services.traders().get("local", trader.id)
    assert (stopped.state, stopped.stop_way) == (TraderState.STOPPING, way)


def test_days_show_holdings_return_and_the_parts_of_the_gap(empty_pages, lab: Lab) -> None:
    trader = draft(lab, account(lab, "paper"))
    at_work(lab, trader)
    traded(lab, trader, 2)
    page = empty_pages("trading", trader=trader.id, trader_section="days", lang="en")
    shown = said(page)
    assert "+2.01%" in shown  # 1.01 x 1.01
    assert "005930" in shown
    for words in ("Price", "Timing", "Missed", "+₩1,000", "-₩20"):
        assert words in shown


def test_lists_have_a_fixed_number_of_statements(lab: Lab) -> None:
    on = account(lab, "paper")
    for number in range(22):
        traded(lab, draft(lab, on, name=f"s{number}"), 1)
    board = TraderBoard(lab.database)
    with counted(lab.database) as sent:
        first = board.page("local")
    assert len(first.items) == 20
    assert len(sent) == 4
    rest = board.page("local", after=first.after)
    assert len(rest.items) == 2
    assert rest.after is None
    assert len({one.trader.id for one in (*first.items, *rest.items)}) == 22


def test_mock_trading_asks_for_paper_days(empty_pages, lab: Lab) -> None:
    trader = draft(lab, account(lab, "mock"))
    page = empty_pages("trading", trader=trader.id, lang="en")
    assert "not met" in said(page)
    assert "start_trader" not in keys_of(page)
    with pytest.raises(NotReady):
        services.traders().start("local", trader.id)
    paper = draft(lab, account(lab, "paper"))
    at_work(lab, paper)
    traded(lab, paper, lab.settings.gate_paper_days)
    page = empty_pages("trading", trader=trader.id, lang="en")
    page.button(key="start_trader").click().run()
    assert services.traders().get("local", trader.id).state is TraderState.STARTING


def ready_for_live(lab: Lab, owner: str) -> Trader:
    """A draft on a live account whose rules traded on mock long enough, with alerts that arrive."""
    mock = draft(lab, account(lab, "mock", owner))
    at_work(lab, mock)
    traded(lab, mock, lab.settings.gate_mock_days)
    now = datetime.now(UTC)
    alerted(lab, owner, tested=now, ok=now)
    return draft(lab, account(lab, "live", owner, name="real one"))


def test_in_a_home_without_accounts_real_money_is_refused(empty_pages, lab: Lab) -> None:
    trader = ready_for_live(lab, "local")
    page = empty_pages("trading", trader=trader.id, lang="en")
    assert "start_live_trader" not in keys_of(page)
    assert "start_trader" not in keys_of(page)
    leave = Permission(owner_id="local", typed="real one", second_step_at=datetime.now(UTC))
    with pytest.raises(NotReady) as refused:  # even with a forged leave: nobody has a second step here
        services.traders().start("local", trader.id, permission=leave)
    assert refused.value.lacks == ("second_factor",)


@pytest.fixture
def rich(house: House) -> tuple[House, User, str, Trader]:
    user = house.join(f"u{datetime.now(UTC).strftime('%M%S%f')}")
    secret = house.accounts.second_factor.begin(user.id).secret
    code = pyotp.TOTP(secret).at(datetime.now(UTC) - timedelta(seconds=30))
    house.accounts.second_factor.enable(user.id, code)
    return house, user, secret, ready_for_live(house.lab, user.id)


def start_live(page: AppTest, typed: str, code: str) -> AppTest:
    page.text_input(key="field_typed_name").input(typed)
    page.text_input(key="field_live_code").input(code)
    return page.button(key="start_live_trader").click().run()


def test_real_money_takes_a_code_and_the_name_and_each_code_once(rich: tuple[House, User, str, Trader]) -> None:
    house, user, secret, trader = rich
    page = house.pages("trading", who=house.enter(user), trader=trader.id, lang="en")
    assert "REAL MONEY" in said(page)
    code = pyotp.TOTP(secret).now()
    for typed, tried in (
        ("", code),
        ("real On", code),
        ("real one", ""),
        ("real one", "000000"),
        ("real one", PASSWORD),
    ):
        page = start_live(page, typed, tried)
        assert page.error
        assert services.traders().get(user.id, trader.id).state is TraderState.DRAFT
    page = start_live(page, "real one", code)
    assert not page.error
    assert services.traders().get(user.id, trader.id).state is TraderState.STARTING
    second = draft(house.lab, account(house.lab, "live", user.id, name="another"))
    page = house.pages("trading", who=house.enter(user), trader=second.id, lang="en")
    page = start_live(page, "another", code)  # the leave is kept nowhere, and the code is used
    assert page.error
    codes = house.accounts.second_factor
    assert services.traders().get(user.id, second.id).state is TraderState.DRAFT
    assert codes.recovery_codes_left(user.id) == 10


def test_wrong_codes_are_limited_even_for_the_right_one(rich: tuple[House, User, str, Trader]) -> None:
    house, user, secret, trader = rich
    page = house.pages("trading", who=house.enter(user), trader=trader.id, lang="en")
    for _ in range(10):
        page = start_live(page, "real one", "000000")
    page = start_live(page, "real one", pyotp.TOTP(secret).now())
    assert page.error
    assert services.traders().get(user.id, trader.id).state is TraderState.DRAFT


def test_the_service_has_no_way_round(rich: tuple[House, User, str, Trader]) -> None:
    house, user, _secret, trader = rich
    now = datetime.now(UTC)
    traders = services.traders()
    for leave in (
        None,
        Permission(owner_id="somebody", typed="real one", second_step_at=now),
        Permission(owner_id=user.id, typed="real one", second_step_at=None),
        Permission(owner_id=user.id, typed="real one", second_step_at=now - timedelta(minutes=6)),
        Permission(owner_id=user.id, typed="real one", second_step_at=now + timedelta(minutes=6)),
        Permission(owner_id=user.id, typed="an account", second_step_at=now),
    ):
        with pytest.raises(PermissionNeeded):
            traders.start(user.id, trader.id, permission=leave)
    leave = Permission(owner_id=user.id, typed="real one", second_step_at=now)
    with house.lab.database.write() as session:  # the newest test did not arrive
        session.execute(
            update(AlertChannelRow).where(AlertChannelRow.owner_id == user.id).values(tested_at=now + timedelta(days=1))
        )
    with pytest.raises(NotReady) as refused:
        traders.start(user.id, trader.id, permission=leave)
    assert refused.value.lacks == ("alert_tested",)
    other = STRATEGY.model_dump(mode="json")
    other["sizing"]["max_holdings"] += 1
    changed = traders.create(
        user.id,
        NewTrader(
            account_id=trader.account_id,
            name=trader.name,
            document=other,
            capital_krw=10_000_000,
            settings=TraderSettings(),
        ),
    )
    with pytest.raises(NotReady) as refused:  # other rules under the same name have shown nothing
        traders.start(user.id, changed.id, permission=leave)
    assert "days" in refused.value.lacks
    for act in (traders.pause, traders.resume):  # no other way out of a draft
        with pytest.raises(Exception, match="found one that is draft"):
            act(user.id, trader.id)


def test_nobody_sees_those_of_others(house: House) -> None:
    ada, ben = house.join("ada-at-work"), house.join("ben-at-work")
    trader = draft(house.lab, account(house.lab, "paper", ada.id), name="private rules")
    page = house.pages("trading", who=house.enter(ben), trader=trader.id)
    assert "There is no such strategy at work among yours" in said(page)
    assert "private rules" not in said(page)
    assert "private rules" not in said(house.pages("trading", who=house.enter(ben)))
    assert "logged out" in said(house.pages("trading"))
