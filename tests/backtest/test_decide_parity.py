"""`decide` and `settle` live a backtest again, day by day, and decide the same.

`STOCKLAB_PARITY_CASES` sets how many random strategies and markets are lived again (default 12).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from day_by_day import Backtest, Differs, follow
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from reference_simulator.cases import Case, cases, coin_cases
from reference_simulator.markets import CHANGES, Shape

from stocklab.backtest import (
    Decision,
    Fill,
    Fired,
    OrderMode,
    OrderSide,
    RunRequest,
    SleeveBook,
    SleeveOrder,
    SleevePosition,
    WaitingLot,
    decide,
    settle,
    with_share_change,
)
from stocklab.data import Store, open_panel
from stocklab.errors import InputError
from stocklab.factors import DirectSource
from stocklab.market.costs import tax_table
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy import PRESETS
from stocklab.strategy.document import Strategy

CASES = int(os.environ.get("STOCKLAB_PARITY_CASES", "12"))
SEED = int(os.environ.get("STOCKLAB_REFERENCE_SEED", "20261127"))
MOST_SESSIONS = 70
ENOUGH = 200
"""Cases that reach everything in `REACHED`."""
SALES = ("rebalance", "target", "stop", "trailing", "max_holding", "exit_rule", "rank", "entry_failed", "market_filter")
REACHED = {
    *(f"sell {cause}" for cause in SALES),
    *("carried", "waiting", "unsafe", "rebalancing", "cancelled", "refused cash", "buy entry", "buy rebalance"),
    *("fired target", "fired stop", "fired trailing", "ended cancelled consolidated", "ended unfilled halted"),
}


def backtest_of(case: Case) -> Backtest:
    """The run of a case. A sleeve reckons with the highest tax since its first day, a run with that of all its days:
    a tax that rises inside is made flat."""
    panel = case.panel()
    sessions = panel.sessions[case.start : case.stop + 1]
    if panel.basis is not PriceBasis.COIN and tax_table(sessions).max() > tax_table(sessions[:1]).max():
        case = with_part(case, "costs", tax=0.002)
    return run_of(panel, case.strategy(), case.start, case.stop, case.cash)


def run_of(panel: Panel, strategy: Strategy, first: int, last: int, cash: int) -> Backtest:
    start, end = (panel.sessions[place].item() for place in (first, last))
    request = RunRequest(strategy=strategy, start=start, end=end, initial_cash_krw=cash)
    return Backtest.of(panel, request, DirectSource(panel, threads=1))


def with_part(case: Case, part: str, **changed: object) -> Case:
    return replace(case, parts={**case.parts, part: {**case.parts.get(part, {}), **changed}})


def live(count: int, drawn: SearchStrategy[Case], **options: Any) -> Counter[str]:
    """Live so many drawn cases; what they reached."""
    seen: Counter[str] = Counter()

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate],
    )
    @given(drawn)
    def run(case: Case) -> None:
        try:
            seen.update(follow(backtest_of(case), most=MOST_SESSIONS, **options))
        except Differs as failure:
            failure.add_note(f"case: {case}")
            raise

    run()
    return seen


def test_random_strategies_decide_as_their_backtests() -> None:
    seen = live(CASES, cases())
    assert seen["sessions"] >= 60
    if CASES >= ENOUGH:
        reached = {*seen, *(" ".join(words.split()[:2]) for words in seen)}
        assert REACHED - reached == set()


def test_coins_decide_as_their_backtests() -> None:
    assert live(max(CASES // 4, 3), coin_cases())["orders"] > 0


def test_data_that_end_with_the_day_decide_the_same() -> None:
    assert live(max(CASES // 6, 2), cases(sessions=(30, 60)), as_of_the_day=True)["orders"] > 0


@pytest.mark.parametrize("preset", ["trend_market_filter", "composite_technical"])
def test_presets_on_the_demo_market(demo_home: Path, preset: str) -> None:
    panel = open_panel(Store(demo_home), basis=PriceBasis.RAW)
    first = int(np.searchsorted(panel.sessions, np.datetime64("2022-03-02")))
    seen = follow(run_of(panel, PRESETS[preset].strategy, first, first + 62, 30_000_000))
    assert seen["sessions"] == 61
    assert seen["orders"] > 20


@pytest.mark.realdata
def test_a_preset_on_the_real_market(real_store: Store) -> None:
    panel = open_panel(real_store, basis=PriceBasis.ADJUSTED)
    assert panel.n_symbols > 2_500
    first = int(np.searchsorted(panel.sessions, np.datetime64("2024-03-04")))
    seen = follow(run_of(panel, PRESETS["momentum_12_1"].strategy, first, first + 62, 100_000_000))
    assert seen["sessions"] == 61
    assert seen["orders"] > 30
    assert seen["rebalancing"] == 4  # the first close, and those before the first sessions of April, May and June


# --- faults that have to be noticed ----------------------------------------------------------------------------------

SIGNAL = {
    "entry": {"rules": [{"id": "A", "formula": "close>sma(close,5)"}]},
    "universe": {"min_listed_sessions": 0, "markets": ["KOSPI", "KOSDAQ", "KONEX"], "exclude": []},
    "sizing": {"max_holdings": 4},
    "execution": {"participation": 1.0},
}
TARGET = {
    **SIGNAL,
    "rebalancing": {"mode": "target", "period": "weekly"},
    "ranking": {"factors": [{"formula": "ret1"}]},
}
FAULTS: dict[str, tuple[dict[str, Any], Callable[[SleeveBook], SleeveBook] | None, bool | None]] = {
    "highs are lost": (
        {**SIGNAL, "exit": {"trailing": {"level": 0.03, "basis": "close"}}},
        lambda book: replace(book, positions=tuple(replace(one, high=one.average) for one in book.positions)),
        None,
    ),
    "sales are forgotten": (
        {**SIGNAL, "exit": {"stop": {"level": 0.02, "basis": "close"}, "reentry_wait_sessions": 5}},
        lambda book: replace(book, sold_on={}),
        None,
    ),
    "holding periods begin anew": (
        {**SIGNAL, "exit": {"max_holding": 6, "min_holding": 3, "holding_unit": "calendar_days"}},
        lambda book: replace(book, positions=tuple(replace(one, entered=book.session) for one in book.positions)),
        None,
    ),
    "live orders are forgotten": (
        {**SIGNAL, "execution": {"buy": "limit", "limit_offset": -0.02, "carry_unfilled_sessions": 3}},
        lambda book: replace(book, orders=()),
        None,
    ),
    "waiting lots are lost": (TARGET, lambda book: replace(book, waiting=()), None),
    "cash is another": (SIGNAL, lambda book: replace(book, cash=book.cash - 1_000_000), None),
    "always the first decision": (TARGET, None, True),
    "never the first decision": (TARGET, None, False),
}


def fixed_case(parts: dict[str, Any], number: int) -> Case:
    shape = Shape(
        seed=number,
        basis="adjusted",
        n_symbols=8,
        n_sessions=60,
        change=CHANGES[0],
        before=10,
        quiet=0.0,
        halts=0.03,
        locks=0.0,
        events=0.0,
        leavers=0.0,
        thin=0.0,
        holes=0.0,
        with_base=True,
    )
    return Case(shape=shape, parts=parts, cash=10_000_000, start=6, stop=58)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault: str) -> None:
    parts, tamper, first_always = FAULTS[fault]
    for number in range(4):
        run = backtest_of(fixed_case(parts, number))
        follow(run, most=12)  # without the fault
        try:
            follow(run, tamper=tamper, first_always=first_always)
        except (Differs, InputError):
            return
    pytest.fail("not noticed")


# --- documents and refusals ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def decided() -> tuple[Backtest, Decision]:
    """A first decision with orders."""
    run = backtest_of(fixed_case(SIGNAL, 0))
    first = run.plan.first
    for t in range(first, first + 20):
        day, following = (run.panel.sessions[row].item() for row in (t, t + 1))
        made = decide(
            run.panel,
            run.request.strategy,
            run.source,
            book=SleeveBook.opened(day, 10_000_000),
            next_session=following,
            first_decision=True,
        )
        if made.orders:
            return run, made
    raise AssertionError("nothing was bought")


def test_a_decision_says_what_it_was_made_from(decided: tuple[Backtest, Decision]) -> None:
    run, made = decided
    t = int(np.searchsorted(run.panel.sessions, np.datetime64(made.session)))
    close = run.panel.fields["close"]
    holds = close[t] > close[t - 4 : t + 1].mean(axis=0)  # of eight symbols without gaps: the five-day mean by hand
    members = np.flatnonzero(run.panel.fields["listed"][t])
    assert made.counts.universe == len(members)
    assert made.counts.rules == {"A": int(holds[members].sum())}
    assert made.counts.candidates == made.counts.entry == made.counts.rules["A"]
    assert (made.counts.slots, made.counts.cash, made.equity) == (4, 10_000_000, 10_000_000)
    assert [one.symbol for one in made.orders] == [one.symbol for one in made.candidates][: len(made.orders)]
    first = made.orders[0]
    assert (first.side, first.mode, first.cause, first.rule_text, first.number) == ("buy", "open", "entry", "A", 1)
    assert first.shares == 2_500_000 // int(first.reserved / first.shares)  # a quarter of the cash at the close


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 1 is expected, found 2"),
        ({"since": None}, "since"),
        ({"colour": "red"}, "colour"),
        ({"cash": 1.5}, "cash"),
        ({"cash": "1"}, "cash"),
        ({"session": "2024-02-30"}, "session"),
    ],
)
def test_a_broken_document_is_refused(decided: tuple[Backtest, Decision], change: dict[str, Any], words: str) -> None:
    document = decided[1].book.to_document()
    assert SleeveBook.from_document(document) == decided[1].book
    with pytest.raises(InputError, match=words):
        SleeveBook.from_document({**document, **change})
    with pytest.raises(InputError, match="waiting"):
        SleeveBook.from_document({name: part for name, part in document.items() if name != "waiting"})


def test_what_does_not_fit_is_refused(decided: tuple[Backtest, Decision]) -> None:
    run, made = decided
    panel, strategy, book = run.panel, run.request.strategy, made.book

    def ask(book: SleeveBook, next_session: date = made.next_session) -> object:
        return decide(panel, strategy, run.source, book=book, next_session=next_session, first_decision=True)

    with pytest.raises(InputError, match="is expected as the next session"):
        ask(book, made.session)
    with pytest.raises(InputError, match="which the data from"):
        ask(replace(book, session=date(1999, 1, 4)))
    with pytest.raises(InputError, match=r"units of 1/1 is expected"):
        ask(replace(book, unit=100_000_000))
    with pytest.raises(InputError, match="settled by the session after it"):
        settle(panel, strategy, book, made.session, [])
    order = made.orders[0]
    fill = Fill(symbol=order.symbol, side=OrderSide.BUY, shares=order.shares + 1, price=1.0, cash=-1)
    with pytest.raises(InputError, match=f"At most {order.shares} of order {order.number}"):
        settle(panel, strategy, book, made.next_session, [fill])
    with pytest.raises(InputError, match=r"One live order is expected for the sell .* found 0"):
        settle(panel, strategy, book, made.next_session, [replace(fill, side=OrderSide.SELL)])
    with pytest.raises(InputError, match="A trigger fires on a holding"):
        settle(panel, strategy, book, made.next_session, [Fired(symbol=order.symbol, cause="stop", shares=1)])


def test_part_of_an_order_makes_a_position_and_the_rest_lapses(decided: tuple[Backtest, Decision]) -> None:
    run, made = decided
    order = made.orders[0]
    fill = Fill(symbol=order.symbol, side=OrderSide.BUY, shares=2, price=1000.5, cash=-2_010)
    found = settle(run.panel, run.request.strategy, made.book, made.next_session, [fill])
    (position,) = found.book.positions
    assert (position.symbol, position.shares, position.average, position.entered) == (
        order.symbol, 2, 1000.5, made.next_session,
    )  # fmt: skip
    assert found.book.cash == 10_000_000 - 2_010
    assert found.book.orders == ()
    ended = {one.order.number: (one.status, one.order.filled) for one in found.ended}
    assert ended[order.number] == ("partial", 2)
    assert len(ended) == len(made.orders)
    known = settle(run.panel, run.request.strategy, made.book, made.next_session, [fill], cash=5)
    assert known.book.cash == 5


def test_a_share_change_moves_a_book_of_adjusted_bars() -> None:
    day, ex = date(2024, 3, 4), date(2024, 3, 5)
    names = {"entered": day, "last_close": 1_000, "average": 900.0, "high": 1_200.0}
    order = SleeveOrder(
        number=1, symbol="A", side=OrderSide.BUY, mode=OrderMode.LIMIT, shares=7, filled=1, limit=1_001, cause="entry",
        decided=day, lives=2, reserved=7_000,
    )  # fmt: skip
    book = replace(
        SleeveBook.opened(day, 1_000),
        positions=tuple(SleevePosition(symbol=name, shares=7, **names) for name in "ABC"),
        orders=(order,),
        waiting=(WaitingLot(symbol="A", shares=5, amount=5_000, since=day),),
    )
    split = with_share_change(book, "A", new=3, old=2, session=ex, market="KOSPI")
    # 7 x 3 / 2 = 10.5: ten shares, and half of one at 1,000 x 2 // 3 = 666 won: 333
    assert (split.positions[0].shares, split.positions[0].last_close, split.cash) == (10, 666, 1_333)
    assert (split.positions[0].average, split.positions[0].high) == (600.0, 800.0)
    assert (split.orders[0].shares, split.orders[0].limit) == (1 + 9, 667)  # 667.3 down, in ticks of one won
    assert split.waiting[0].shares == 7
    merged = with_share_change(book, "A", new=1, old=10, session=ex, market="KOSPI", base_krw=10_500)
    # of seven shares seven tenths of one, paid at 10,500 each; the last position takes the place
    assert [one.symbol for one in merged.positions] == ["C", "B"]
    assert (merged.cash, merged.sold_on, merged.orders) == (1_000 + 7_350, {"A": ex}, ())
    assert with_share_change(book, "D", new=2, old=1, session=ex, market="KOSPI") == book
    with pytest.raises(InputError, match="found 0 for 1"):
        with_share_change(book, "A", new=0, old=1, session=ex, market="KOSPI")
