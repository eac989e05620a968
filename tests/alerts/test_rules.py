"""Rules: what may be asked, when one fires, and that each fact is told once."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stocklab.alerts import AlertKind, Feed, Rules, check_after_sync, check_filings, check_rules
from stocklab.alerts.evaluate import BAND, Reading, RuleState, evaluate
from stocklab.brokers.values import Quote, QuoteSource
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.db import DisclosureRow
from stocklab.errors import FormulaError, InputError

from .conftest import ADA, BEN, START, Desk

NAMES = {"005930": "삼성전자"}


def price_rule(sense: str, limit: float, *, cooldown: timedelta = timedelta(0)) -> RuleState:
    return RuleState(
        kind=AlertKind.PRICE,
        condition={"sense": sense, "limit": limit},
        armed=True,
        cooldown=cooldown,
        last_fired_at=None,
    )


def fired(rule: RuleState, prices: list[float], *, move: bool = False, seconds: int = 5) -> list[int]:
    """At which of the prices a rule fires that is asked every few seconds."""
    found = []
    for number, price in enumerate(prices):
        now = START + timedelta(seconds=seconds * number)
        reading = Reading(move_percent=price) if move else Reading(price_krw=price)
        verdict = evaluate(rule, reading, now)
        if verdict.fires:
            found.append(number)
        rule = RuleState(
            kind=rule.kind,
            condition=rule.condition,
            armed=verdict.armed,
            cooldown=rule.cooldown,
            last_fired_at=now if verdict.fires else rule.last_fired_at,
        )
    return found


@pytest.mark.parametrize(
    ("sense", "limit", "prices", "expected"),
    [
        ("above", 100, [99, 100, 101, 99.8, 100.2, 99.4, 100], [1, 6]),  # noise within half a percent is no way back
        ("below", 100, [101, 100, 99, 100.4, 99, 100.6, 99], [1, 6]),
        ("rises", 5, [4.9, 5, 6, 4.8, 5.1, 4.6, 5], [1, 6]),
        ("falls", 5, [-4.9, -5, -6, -4.8, -5.1, -4.6, -5], [1, 6]),
    ],
)
def test_a_price_is_told_once_until_it_came_back(
    sense: str, limit: float, prices: list[float], expected: list[int]
) -> None:
    assert fired(price_rule(sense, limit), prices, move=sense in ("rises", "falls")) == expected


def test_a_cooldown_waits_and_then_tells_what_still_holds() -> None:
    rule = price_rule("above", 100, cooldown=timedelta(seconds=60))
    assert fired(rule, [100, 90, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100]) == [0, 12]


@given(some.lists(some.floats(50, 150, allow_nan=False), max_size=60), some.integers(0, 120))
def test_two_alerts_have_the_cooldown_and_a_way_back_between_them(prices: list[float], seconds: int) -> None:
    found = fired(price_rule("above", 100, cooldown=timedelta(seconds=seconds)), prices)
    for before, after in pairwise(found):
        assert (after - before) * 5 >= seconds
        assert any(price < 100 * (1 - BAND) for price in prices[before + 1 : after])
    assert all(prices[number] >= 100 for number in found)


@pytest.mark.parametrize(
    ("kind", "symbol", "condition"),
    [
        (AlertKind.PRICE, "", {"sense": "above", "limit": 1}),
        (AlertKind.PRICE, "005930", {"sense": "above", "limit": 0}),
        (AlertKind.PRICE, "005930", {"sense": "sideways", "limit": 1}),
        (AlertKind.PRICE, "005930", {"sense": "above", "limit": float("nan")}),
        (AlertKind.PRICE, "005930", {"sense": "falls", "limit": 101}),
        (AlertKind.DISCLOSURE, "", {}),
        (AlertKind.DATA_STALE, "", {"sessions": 0}),
        (AlertKind.FILL, "005930", {}),
    ],
)
def test_what_cannot_be_judged_is_not_kept(
    desk: Desk, kind: AlertKind, symbol: str, condition: dict[str, object]
) -> None:
    with pytest.raises(InputError):
        Rules(desk.database).add(ADA, kind, symbol, condition)


def test_rules_are_made_changed_paused_and_removed_by_their_owner(desk: Desk) -> None:
    rules = Rules(desk.database)
    with pytest.raises(FormulaError):
        rules.add(ADA, AlertKind.INDICATOR, "005930", {"formula": "no_such(close)"})
    channel = desk.webhook("http://127.0.0.1:9/", owner=BEN)
    with pytest.raises(InputError, match="no such channel"):
        rules.add(ADA, AlertKind.HALT, "005930", {}, channels=[channel])
    rule = rules.add(ADA, AlertKind.PRICE, "005930", {"sense": "above", "limit": 100})
    rules.change(ADA, rule, {"sense": "below", "limit": 50}, cooldown=timedelta(days=1))
    rules.set_active(ADA, rule, False)
    (kept,) = rules.list(ADA)
    assert (kept.condition, kept.active, kept.cooldown) == ({"sense": "below", "limit": 50}, False, timedelta(days=1))
    for act in (lambda: rules.remove(BEN, rule), lambda: rules.set_active(BEN, rule, True)):
        with pytest.raises(InputError, match="no such rule"):
            act()
    assert rules.list(BEN) == ()
    rules.remove(ADA, rule)
    assert rules.list(ADA) == ()


def quote(price: str, *, base: str = "100", age: timedelta = timedelta(0), halted: bool = False) -> dict[str, Quote]:
    return {
        "005930": Quote(
            symbol="005930",
            price_krw=Decimal(price),
            at=START - age,
            source=QuoteSource.SOCKET,
            base_price_krw=Decimal(base),
            halted=halted,
        )
    }


def test_quotes_fire_the_rules_of_everybody_once(desk: Desk) -> None:
    rules, feed = Rules(desk.database), Feed(desk.database)
    mine = rules.add(ADA, AlertKind.PRICE, "005930", {"sense": "above", "limit": 110}, now=START)
    rules.add(BEN, AlertKind.PRICE, "005930", {"sense": "falls", "limit": 3}, now=START)
    rules.add(BEN, AlertKind.HALT, "005930", {}, now=START)
    rules.add(BEN, AlertKind.PRICE, "000660", {"sense": "above", "limit": 1}, now=START)
    assert check_rules(desk.database, NAMES, quote("120", age=timedelta(minutes=11)), START).fired == 0
    assert check_rules(desk.database, NAMES, quote("110"), START).fired == 1
    assert check_rules(desk.database, NAMES, quote("112"), START).fired == 0
    assert check_rules(desk.database, NAMES, quote("97", halted=True), START).fired == 2
    assert check_rules(desk.database, NAMES, quote("97", halted=True), START).fired == 0
    (told,) = feed.list(ADA).items
    assert (told.rule_id, told.said("en").text) == (mine, "005930 삼성전자: at or above 110 won. Now 110 won.")
    assert told.said("ko").title == "가격 알림: 삼성전자 110원"
    assert [event.said("en").title for event in feed.list(BEN).items][::-1] in (
        ["Price: 삼성전자 3%", "Trading halted: 삼성전자"],
        ["Trading halted: 삼성전자", "Price: 삼성전자 3%"],
    )
    assert [event.id for event in feed.list(ADA, rule_id=mine).items] == [told.id]
    assert rules.list(ADA)[0].armed  # 97 is clearly below 110


def test_filings_are_told_by_symbol_word_and_kind_and_once(desk: Desk) -> None:
    rules = Rules(desk.database)
    rules.add(ADA, AlertKind.DISCLOSURE, "005930", {"words": ["유상증자", "합병"]}, now=START)
    rules.add(BEN, AlertKind.DISCLOSURE, "", {"kinds": ["preliminary_results"]}, now=START)

    def file(number: str, symbol: str, title: str, kind: str, seen: datetime) -> None:
        with desk.database.write() as session:
            day = date(2026, 11, 27)
            session.add(
                DisclosureRow(
                    filing_no=number, symbol=symbol, title=title, kind=kind, published_on=day, first_seen_at=seen
                )
            )

    later = START + timedelta(hours=1)
    file("1", "005930", "유상증자 결정", "rights_issue", START - timedelta(minutes=1))  # before the rule was made
    file("2", "005930", "주요사항보고서(유상증자결정)", "rights_issue", later)
    file("3", "000660", "유상증자결정", "rights_issue", later)
    file("4", "000660", "영업(잠정)실적", "preliminary_results", later)
    assert check_filings(desk.database, NAMES, later).fired == 2
    assert check_filings(desk.database, NAMES, later).fired == 0
    (told,) = Feed(desk.database).list(ADA).items
    assert told.said("ko").text == "2026-11-27 005930 삼성전자: 주요사항보고서(유상증자결정)"
    assert Feed(desk.database).list(BEN).items[0].params["symbol"] == "000660"


def test_after_a_sync_closes_conditions_and_age_are_judged(desk: Desk, demo_home: Path, tmp_path: Path) -> None:
    if desk.database.backend != "sqlite":
        pytest.skip("what is judged by closes is written as what is judged by quotes")
    shutil.copytree(demo_home, tmp_path / "home", copy_function=os.link)
    store = Store(tmp_path / "home")
    panel = open_panel(store)
    symbol = next(
        one
        for one, close, base in zip(
            panel.symbols, panel.fields["close_raw"][-1], panel.fields["base_price"][-1], strict=True
        )
        if close > base > 0
    )
    close = float(panel.fields["close_raw"][-1, panel.symbols.index(symbol)])
    rules = Rules(desk.database)
    now = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)  # a week after the newest bar
    rules.add(ADA, AlertKind.PRICE, symbol, {"sense": "above", "limit": close}, now=now)
    rules.add(ADA, AlertKind.PRICE, symbol, {"sense": "above", "limit": close + 1}, now=now)
    rules.add(ADA, AlertKind.INDICATOR, symbol, {"formula": "close > 0"}, now=now)
    rules.add(BEN, AlertKind.INDICATOR, symbol, {"formula": "close < 0"}, now=now)
    rules.add(BEN, AlertKind.DATA_STALE, "", {"sessions": 2}, now=now)
    for expected in (3, 0):
        done = check_after_sync(desk.database, store, desk.settings, now, should_cancel=lambda: False)
        assert (done.rules, done.fired) == (5, expected)
    kinds = {event.kind for event in Feed(desk.database).list(ADA).items}
    assert kinds == {AlertKind.PRICE, AlertKind.INDICATOR}
    (late,) = Feed(desk.database).list(BEN).items
    assert late.params["newest"] == "2026-11-20"
