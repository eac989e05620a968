"""The note of a day: what was done, what was not and why, also when nothing happened."""

from __future__ import annotations

import json
from datetime import date

import pytest

from stocklab.alerts import (
    AlertKind,
    BlockedBy,
    ConditionDay,
    DailyNotes,
    DayFacts,
    Feed,
    GapDay,
    NoteDocument,
    OrderLine,
    PositionLine,
    Step,
    TraderDay,
    TraderState,
    compose,
)
from stocklab.errors import InputError

from .conftest import ADA, BEN, Desk, Receiver

DAY = date(2026, 11, 27)
IDLE = TraderDay(
    name="RSI 반등",
    account="모의 1",
    state=TraderState.ACTIVE,
    universe=2104,
    matched=0,
    held=0,
    conditions=(
        ConditionDay(words="rsi(close, 14) < 30", failed=2050, unknown=12),
        ConditionDay(words="roe > 15", failed=1700),
    ),
)


def facts(**changes: object) -> DayFacts:
    given: dict[str, object] = {"session": DAY, "is_session": True, "traders": (IDLE,), **changes}
    return DayFacts(**given)  # type: ignore[arg-type]


def test_a_day_without_trades_says_which_conditions_failed_for_how_many() -> None:
    note = compose(facts(next_session=date(2026, 11, 30), next_steps=(Step(code="prepare", at="08:50"),)))
    assert note.headline_text("en") == "2026-11-27: no trades. No stock met the entry rules."
    assert note.headline_text("ko") == "2026-11-27 매매 없음: 매수 조건을 모두 만족한 종목이 없습니다."
    english, korean = note.text("en"), note.text("ko")
    assert "RSI 반등: looked at 2,104 stocks; 0 met all entry rules. 0 held." in english
    assert '"rsi(close, 14) < 30" was false for 2,050, not known for 12' in english
    assert '"roe > 15" 불만족 1,700종목' in korean
    assert "No order was filled." in english
    assert "2026-11-30" in english
    assert "08:50 prepare and decide" in english


@pytest.mark.parametrize(
    ("changes", "headline", "line"),
    [
        ({"is_session": False, "holiday": "추석"}, "2026-11-27: the exchange was closed", "was closed (추석)"),
        ({"traders": ()}, "2026-11-27: no trades. No automatic trading is running.", "nothing was decided"),
        (
            {"traders": (TraderDay(name="t", account="a", state=TraderState.PAUSED),)},
            "2026-11-27: no trades. No automatic trading is running.",
            "t (a): paused.",
        ),
        (
            {"kill_switch": "하루 손실"},
            "2026-11-27: no trades. Something held orders back.",
            "The emergency stop is on: 하루 손실.",
        ),
        (
            {
                "traders": (
                    TraderDay(
                        name="t",
                        account="a",
                        state=TraderState.ACTIVE,
                        universe=10,
                        matched=2,
                        blocked=(BlockedBy.CASH_TOO_SMALL,),
                        cash_krw=12_000,
                        cheapest_krw=71_900,
                    ),
                )
            },
            "2026-11-27: no trades. Something held orders back.",
            "t: 12,000 won in cash; one share of the cheapest candidate costs 71,900 won.",
        ),
        (
            {"data_last": date(2026, 11, 24), "data_late": 2},
            "2026-11-27: no trades. No stock met the entry rules.",
            "Data end on 2026-11-24, 2 sessions late.",
        ),
        (
            {
                "traders": (
                    TraderDay(
                        name="t",
                        account="a",
                        state=TraderState.ACTIVE,
                        universe=10,
                        matched=1,
                        unfilled=(OrderLine(side="buy", symbol="005930", name="삼성전자", quantity=3, reason="limit"),),
                    ),
                )
            },
            "2026-11-27: no trades. Orders were sent and not filled.",
            "t: the order to buy 3 삼성전자 (005930) was not filled · limit",
        ),
    ],
)
def test_every_reason_for_a_quiet_day_is_named(changes: dict[str, object], headline: str, line: str) -> None:
    note = compose(facts(**changes))
    assert note.headline_text("en") == headline
    assert line in note.text("en")


def test_a_day_with_trades_shows_them_with_positions_doubts_and_the_gap() -> None:
    order = OrderLine(side="sell", symbol="005930", name="삼성전자", quantity=10, price_krw=71_900, reason="손절")
    trader = TraderDay(name="t", account="a", state=TraderState.ACTIVE, universe=10, matched=1, filled=(order,))
    note = compose(
        facts(
            traders=(trader,),
            day_krw=-12_345,
            equity_krw=10_000_000,
            positions=(
                PositionLine(
                    account="a", symbol="KRW-BTC", name="비트코인", quantity="0.012", value_krw=1_500_000, day_krw=500
                ),
            ),
            in_doubt=(OrderLine(side="buy", symbol="000660", name="SK하이닉스", quantity=1),),
            gaps=(GapDay(name="t", total_krw=-900, price_krw=-500, timing_krw=-300, missed_krw=0, cost_krw=-100),),
        )
    )
    assert note.headline_text("en") == "2026-11-27: 1 fills, -12,345 won on the day"
    english = note.text("en")
    for line in (
        "t: sell 10 삼성전자 (005930) at 71,900 won · 손절",
        "buy 1 SK하이닉스 (000660): whether it was taken is being asked. It is not sent again.",
        "Equity 10,000,000 won, -12,345 won on the day.",
        "비트코인 (KRW-BTC) 0.012 · 1,500,000 won · day +500 · since bought –",
        "t: -900 won = price -500 + timing -300 + missed +0 + costs -100",
    ):
        assert line in english
    assert NoteDocument.of_json(json.loads(json.dumps(note.to_json()))).text("ko") == note.text("ko")
    assert "{" not in english + note.text("ko")


def test_a_note_is_kept_and_told_once_for_an_owner_and_a_session(desk: Desk, receiver: Receiver) -> None:
    notes = DailyNotes(desk.database)
    desk.webhook(receiver.url)
    assert notes.keep(ADA, compose(facts()), now=desk.now)
    assert not notes.keep(ADA, compose(facts(kill_switch="later")), now=desk.now)
    assert notes.keep(BEN, compose(facts(traders=())), now=desk.now)
    assert desk.deliver() == 1
    (told,) = receiver.told()
    assert told["kind"] == AlertKind.DAILY_NOTE
    assert told["title"] == "2026-11-27: no trades. No stock met the entry rules."
    assert "[What was not done, and why]" in told["text"]
    assert notes.get(ADA, DAY).note.headline_text("en").endswith("No stock met the entry rules.")
    assert [note.session for note in notes.list(ADA).items] == [DAY]
    assert [event.kind for event in Feed(desk.database).list(ADA).items] == [AlertKind.DAILY_NOTE]
    with pytest.raises(InputError, match="no note"):
        notes.get(BEN, date(2026, 11, 26))
