"""Explanations against the slow simulator of `reference_simulator`, which notes why it passes each candidate over.

For every order of random runs the answer is that of the tables; for everything that was not bought, the reference's.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from reference_simulator.cases import Case, cases
from reference_simulator.clock import Walk
from reference_simulator.compare import reference
from reference_simulator.markets import CHANGES, Shape

from stocklab.backtest import RunRequest, simulate
from stocklab.errors import InputError
from stocklab.factors import DirectSource
from stocklab.research.explain import Code, Explanation, RunView, explain, open_run

CASES = int(os.environ.get("STOCKLAB_EXPLAIN_CASES", "40"))
SEED = int(os.environ.get("STOCKLAB_REFERENCE_SEED", "20261127"))
SESSIONS_OF_A_CASE = 3
PLAIN = Case(
    shape=Shape(
        seed=7,
        basis="adjusted",
        n_symbols=4,
        n_sessions=40,
        change=CHANGES[0],
        before=10,
        quiet=0.0,
        halts=0.0,
        locks=0.0,
        events=0.0,
        leavers=0.0,
        thin=0.0,
        holes=0.0,
        with_base=True,
    ),
    parts={"entry": {"rules": [{"id": "A", "formula": "close>sma(close,5)"}]}},
    cash=10_000_000,
    start=5,
    stop=35,
)
OF_STRANGERS = {
    *("no_free_place", "places_taken", "most_new_reached", "already_ordered", "sold_too_recently", "close_unknown"),
    *("weight_unknown", "sector_full", "less_than_a_share", "cash", "after_cash", "buy_ordered"),
    *("outside_universe", "rules_fail", "score_unknown", "outside_kept", "market_unsafe", "no_rebalancing"),
    *("waiting", "wait_over", "wait_ended", "price_rose", "run_ends"),
}
NOT_COME_TO = {"no_free_place", "places_taken", "most_new_reached", "after_cash"}
"""Of candidates the decisions did not come to: what is on order already is told as that."""
OF_HOLDINGS = {
    *("sell_ordered", "trim_ordered", "more_ordered", "kept", "kept_chosen", "kept_in_band", "kept_min_holding"),
    *("kept_leaving", "kept_not_listed", "kept_unlisted"),
}
RARE = {"kept_unlisted", "close_unknown", "price_rose", "wait_ended"}
"""Codes that hundreds of cases do not reach."""
ENOUGH = 500
"""Cases of any seed that reach all the others."""
MOST_OF_THEM = 0.75
"""What fewer cases reach at least."""
OF_SESSIONS = {"bought", "bought_part", "not_bought", "sold", "sold_part", "not_sold", "ended", "delisted"}


def opened(case: Case) -> RunView:
    """The product's run of a case, ready to be asked."""
    panel = case.panel()
    request = RunRequest(
        strategy=case.strategy(),
        start=panel.sessions[case.start].item(),
        end=panel.sessions[case.stop].item(),
        initial_cash_krw=case.cash,
    )
    source = DirectSource(panel, threads=1)
    return open_run(panel, request, source, simulate(panel, request, source))


def expected_of_stranger(walk: Walk, t: int, symbol: int, *, target_mode: bool) -> str:
    """Why the reference did not hold a symbol after a close, in the words of the product's codes."""
    signals = walk.signals
    if t in signals.unsafe:
        return "market_unsafe"
    noted = walk.entries.why.get((t, symbol))
    if noted is not None and noted not in NOT_COME_TO:
        return noted
    alive = [walk.book.orders[number - 1] for number in walk.alive[t]]
    if any(order.symbol == symbol and order.side == "buy" for order in alive):
        return "already_ordered"
    if noted is not None:
        return noted
    if target_mode and t not in signals.due:
        return "no_rebalancing"
    if not signals.in_universe(t, symbol):
        return "outside_universe"
    if not signals.entry(t, symbol):
        return "rules_fail"
    if signals.strategy.ranking.factors and symbol not in signals.score(t):
        return "score_unknown"
    return "outside_kept"


def sessions_to_ask(walk: Walk, case: Case, rng: np.random.Generator) -> list[int]:
    """Some sessions of a case: half of them any, half such in which or before which something was ordered."""
    busy = sorted({t for order in walk.book.orders for t in (order.decided, order.session) if t >= case.start})
    some = rng.choice(np.arange(case.start, case.stop + 1), size=SESSIONS_OF_A_CASE, replace=False)
    few = rng.choice(np.array(busy or [case.stop]), size=SESSIONS_OF_A_CASE)
    return sorted({int(t) for t in (*some, *few)})


def test_explanations_agree_with_the_reference() -> None:
    seen: Counter[str] = Counter()

    def judge(case: Case) -> None:
        view, walk = opened(case), reference(case.panel(), case)
        rng = np.random.default_rng(case.shape.seed)
        for t in sessions_to_ask(walk, case, rng):
            for symbol in range(view.panel.n_symbols):
                found = explain(view, view.panel.symbols[symbol], view.day(t))
                try:
                    seen.update(require_same(found, view, walk, t, symbol))
                except AssertionError as error:
                    error.add_note(f"session {t} ({view.day(t)}), symbol {symbol}\ncase: {case}")
                    raise

    @seed(SEED)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        phases=[Phase.generate],
    )
    @given(cases())
    def run(case: Case) -> None:
        judge(case)

    run()
    reached = {word.split()[0] for word in seen}
    wanted = (OF_STRANGERS | OF_HOLDINGS | OF_SESSIONS) - RARE
    if CASES >= ENOUGH:
        assert wanted - reached == set()
    assert len(wanted & reached) >= MOST_OF_THEM * len(wanted), wanted - reached


def require_same(found: Explanation, view: RunView, walk: Walk, t: int, symbol: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    seen[require_close(found, view, walk, t, symbol)] += 1
    for met in found.met:
        seen[met.verdict.code.value] += 1
        order = walk.book.orders[met.order_id - 1]
        trades = [
            record
            for record in walk.book.records
            if getattr(record, "order", None) == met.order_id and record.session == t
        ]
        assert met.filled == sum(trade.shares for trade in trades)
        assert (met.side, met.cause) == (order.side, order.cause)
        if trades:
            assert met.price_krw == trades[0].price
        if (t, met.order_id) in walk.met:
            filled, reason = walk.met[t, met.order_id]
            assert (met.filled_before + met.filled, met.reason) == (filled, reason if filled < met.shares else "")
        else:  # ended inside the session by something else than the market
            assert (met.reason, met.verdict.code) == (
                order.reason,
                Code.DELISTED if order.cause == "delisting" else met.verdict.code,
            )
        assert met.lives_on == (met.order_id in walk.alive[t])
    tried = {n for (at, n) in walk.met if at == t and walk.book.orders[n - 1].symbol == symbol}
    assert tried <= {met.order_id for met in found.met}
    return seen


def require_close(found: Explanation, view: RunView, walk: Walk, t: int, symbol: int) -> str:
    """The decision at the close; the code seen."""
    close, verdict = found.close, found.close.verdict
    final = t == view.plan.last - 1
    held = any(each.session == t and each.symbol == symbol for each in walk.holdings)
    assert (close.holding is not None) == held
    assert close.in_universe == walk.signals.in_universe(t, symbol) == all(line.passes for line in close.universe)
    assert close.entry_holds == walk.signals.entry(t, symbol)
    for line in close.entry:
        rule = next(rule for rule in view.strategy.entry.rules if rule.id == line.id)
        assert line.holds == walk.signals.truth(rule, t, symbol)
    for line in close.exit:
        rule = next(rule for rule in view.strategy.exit.rules if rule.id == line.id)
        assert line.holds == walk.signals.truth(rule, t, symbol)
    candidates = walk.signals.candidates(t)
    assert close.standing.candidates == len(candidates)
    assert close.standing.place == (candidates.index(symbol) + 1 if symbol in candidates else None)
    require_numbers(found, view, walk, t, symbol)
    ordered = [(o.number, o.side, o.status, o.reason) for o in decided_at_close(walk, t) if o.symbol == symbol]
    assert [(o.order_id, o.side, o.status, o.reason) for o in close.orders] == ordered
    if final:
        assert verdict.code is Code.RUN_ENDS
        return verdict.code.value
    target_mode = view.strategy.rebalancing.mode == "target"
    if not held:
        words = f"waiting {verdict.facts['reason']}" if verdict.code is Code.WAITING else verdict.code.value
        assert words == expected_of_stranger(walk, t, symbol, target_mode=target_mode)
        return words
    sales = [o for o in decided_at_close(walk, t) if o.symbol == symbol and o.side == "sell"]
    noted = walk.entries.why.get((t, symbol)) if target_mode else None
    if sales:
        assert verdict.code.value in ("sell_ordered", "trim_ordered")
        assert verdict.facts["cause" if verdict.code is Code.SELL_ORDERED else "shares"] == (
            sales[0].cause if verdict.code is Code.SELL_ORDERED else sales[0].ordered
        )
    elif noted in (
        "kept_in_band",
        "kept_chosen",
        "kept_min_holding",
        "more_ordered",
        "kept_leaving",
        "wait_ended",
        "kept_unlisted",
    ):
        assert verdict.code.value == (noted if noted != "wait_ended" else "kept_leaving")
    else:
        allowed = {
            Code.KEPT,
            Code.KEPT_LEAVING,
            Code.KEPT_NOT_LISTED,
            Code.KEPT_MIN_HOLDING,
            Code.WAITING,
            Code.KEPT_UNLISTED,
        }
        assert verdict.code in allowed | {Code.PRICE_ROSE}
    return verdict.code.value


def require_numbers(found: Explanation, view: RunView, walk: Walk, t: int, symbol: int) -> None:
    """Values, scores, money and levels of the decision."""
    close, signals = found.close, walk.signals
    for line in (*close.entry, *close.exit):
        for each in line.compared:
            for formula, value in ((each.left, each.left_value), (each.right, each.right_value)):
                number = float(formula) if formula.replace(".", "").isdigit() else signals.value(formula, t, symbol)
                assert value == number, (line.id, formula)
    expected = signals.score(t).get(symbol)
    assert close.standing.score == (None if expected is None else pytest.approx(expected, rel=1e-12, abs=1e-12))
    assert close.standing.members == sum(signals.in_universe(t, other) for other in range(view.panel.n_symbols))
    if view.strategy.exit.rank_below is not None:
        assert close.standing.universe_place == signals.rank(t, symbol)
    day = next(each for each in walk.days if each.session == t)
    assert (close.purse.cash_krw, close.purse.equity_krw) == (day.cash, day.equity)
    if t in walk.entries.counted:
        places, cash = walk.entries.counted[t]
        assert (close.purse.free_places, close.purse.countable_krw) == (max(places, 0), cash)
    bought = [o for o in decided_at_close(walk, t) if o.side == "buy"]
    assert close.standing.bought == len([o for o in bought if o.number in walk.alive[t]])
    if close.verdict.code in (Code.BUY_ORDERED, Code.MORE_ORDERED, Code.CASH):
        assert close.verdict.facts["shares"] == walk.ordered[t][symbol]
    if close.holding is not None:
        shares, average, high, entered = walk.owned[t][symbol]
        holding = close.holding
        assert (holding.shares, holding.entered) == (shares, view.day(entered))
        assert (holding.average_krw, holding.highest_krw) == pytest.approx((float(average), float(high)), rel=1e-12)
        for line in holding.exits:
            if line.kind in ("stop", "trailing", "target"):
                share = Fraction(str(getattr(view.strategy.exit, line.kind).level))
                reference_price = high if line.kind == "trailing" else average
                exact = reference_price * (1 + share if line.kind == "target" else 1 - share)
                assert line.level == math.floor(exact + Fraction(1, 10**6))


def decided_at_close(walk: Walk, t: int) -> list:
    """Orders that the close of ``t`` decided: not those of triggers and delistings, which count as decided then."""
    in_session = {"delisting"}
    return [
        order
        for order in walk.book.orders
        if order.decided == t and order.cause not in in_session and order.number not in walk.book.sent_in_session
    ]


def test_a_day_that_is_no_session_names_the_nearest() -> None:
    view = opened(PLAIN)
    with pytest.raises(InputError, match=r"not a session of this run.*Hint: "):
        explain(view, view.panel.symbols[0], date(1999, 1, 1))
    with pytest.raises(InputError, match="not in this snapshot"):
        explain(view, "ZZZZZZ", view.day(PLAIN.start))
