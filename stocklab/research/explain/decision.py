"""What one close decided about one symbol, and why."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.layout import Record
from stocklab.backtest.plan import WHOLE_LOGIC, logic_trees
from stocklab.research.explain.certain import certain
from stocklab.research.explain.conditions import market_line, rule_lines
from stocklab.research.explain.filters import filter_lines
from stocklab.research.explain.leaving import holding_at, kept_back, position_of
from stocklab.research.explain.order_book import orders_decided
from stocklab.research.explain.replay import Close
from stocklab.research.explain.values import Decision, FilterLine, Ordered, ScorePart, Standing
from stocklab.research.explain.verdicts import Code, Fact, Verdict
from stocklab.research.explain.view import RunView

__all__ = ["decision_at", "rule_of"]


def decision_at(view: RunView, close: Close, column: int) -> Decision:
    """What a close decided about the symbol in ``column`` of the panel."""
    t, strategy, written = close.moment.t, view.strategy, view.request.strategy
    entry_tree, exit_tree = logic_trees(strategy)
    numbers = [row for row, order in orders_decided(close.moment.decided, t) if order.symbol == column]
    standing = _standing(view, close, column)
    decision = Decision(
        session=view.day(t),
        trades=None if close.final else view.day(t + 1),
        next_rebalancing=_next_rebalancing(view, close),
        universe=filter_lines(view, t, column),
        in_universe=bool(view.plan.universe[t, column]),
        entry=rule_lines(view, t, column, strategy.entry.rules, written.entry.rules),
        entry_logic=entry_tree.text,
        entry_holds=bool(view.plan.entry[t, column] != 0),
        exit=rule_lines(view, t, column, strategy.exit.rules, written.exit.rules),
        exit_logic=exit_tree.text,
        exit_holds=bool(strategy.exit.rules and view.plan.exit_code[t, column] != 0),
        market=market_line(view, t),
        standing=standing,
        purse=close.purse,
        holding=holding_at(view, close.moment, column, standing.universe_place),
        orders=tuple(_ordered(view, close, number) for number in numbers),
        verdict=Verdict(code=Code.KEPT),
    )
    return replace(decision, verdict=_verdict(view, close, column, decision))


def rule_of(view: RunView, order: Record) -> str:
    """What caused an order to sell: the letter of a rule, or the whole line; the level of a price exit; "" else."""
    leave, cause = view.strategy.exit, codes.CAUSE_NAMES[order.cause]
    priced = {"target": (leave.target, "+"), "stop": (leave.stop, "-"), "trailing": (leave.trailing, "-")}
    if cause in priced:
        trigger, sign = priced[cause]
        return "" if trigger is None else f"{sign}{100 * trigger.level:g} %"
    if order.cause != codes.EXIT_RULE:
        return ""
    whole = order.rule >= min(WHOLE_LOGIC - 1, len(leave.rules))
    return logic_trees(view.strategy)[1].text if whole else leave.rules[int(order.rule)].id


def _next_rebalancing(view: RunView, close: Close) -> date | None:
    if view.strategy.rebalancing.mode != "target" or close.due:
        return None
    row = close.moment.t - view.plan.first
    later = np.flatnonzero(view.deciding[row + 1 :])
    return view.day(close.moment.t + 1 + int(later[0])) if len(later) else None


def _ordered(view: RunView, close: Close, number: int) -> Ordered:
    order = close.moment.decided.orders[number]
    row = view.result.tables["orders"].row(number, named=True)
    return Ordered(
        order_id=row["order_id"],
        side=row["side"],
        shares=row["shares_ordered"],
        limit_krw=row["limit_krw"],
        cause=codes.CAUSE_NAMES[order.cause],
        filled=row["shares_filled"],
        status=row["status"],
        reason=row["reason"],
        ended=row["session"],
    )


def _standing(view: RunView, close: Close, column: int) -> Standing:
    found, symbols = close.found, view.panel.symbols
    places = {int(symbol): place for place, symbol in enumerate(found.ordered, start=1)}
    ranked = np.flatnonzero(found.ranked == column)
    bought = [symbol for symbol, _ in close.orders() if not close.unpaid(symbol)]
    fresh = [symbol for symbol in bought if symbol in places]
    last = max(fresh, key=places.__getitem__, default=None)
    score = None if found.scores is None else _known(float(found.scores[column]))
    factors = view.strategy.ranking.factors
    parts = tuple(
        ScorePart(
            formula=shown.formula,
            direction=factor.direction,
            weight=factor.weight,
            transform=factor.transform,
            neutralize=factor.neutralize,
            value=_known(float(found.values[i][column])),
            part=None if found.parts is None or score is None else _known(float(found.parts[i][column])),
        )
        for i, (factor, shown) in enumerate(zip(factors, view.request.strategy.ranking.factors, strict=True))
    )
    ranks = view.plan.ranks
    return Standing(
        members=int(np.count_nonzero(found.members)),
        passing=int(np.count_nonzero(found.passing)),
        candidates=len(found.ordered),
        score=score,
        parts=parts,
        place=places.get(column),
        place_before_keep=int(ranked[0]) + 1 if len(ranked) else None,
        universe_place=_place(float(ranks[close.moment.t, column])) if ranks.size else None,
        bought=len(bought),
        last_bought=None if last is None else symbols[last],
        last_place=None if last is None else places[last],
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _place(value: float) -> int | None:
    return None if math.isnan(value) else int(value)


# --- the verdict ----------------------------------------------------------------------------------------------------


def _verdict(view: RunView, close: Close, column: int, found: Decision) -> Verdict:
    if close.final:
        return Verdict(code=Code.RUN_ENDS)
    sold = _sale(view, close, column, found)
    if sold is not None:
        return sold
    return (
        _of_holding(view, close, column, found)
        if found.holding is not None
        else _of_stranger(view, close, column, found)
    )


def _sale(view: RunView, close: Close, column: int, found: Decision) -> Verdict | None:
    """The order to sell that this close decided; None where it decided none."""
    for _, order in orders_decided(close.moment.decided, close.moment.t):
        if order.symbol != column or order.side != codes.SELL:
            continue
        if order.cause == codes.REBALANCE:
            moved = certain(close.why(column), "a rebalancing sold what its replay does not know")
            if moved.code is Code.TRIM_ORDERED:
                return moved
            why = _no_candidate(view, found) or close.rest or Verdict(code=Code.PLACES_TAKEN)
            return Verdict(code=moved.code, facts={**moved.facts, "why": why.code.value})
        facts: dict[str, Fact] = {
            "cause": codes.CAUSE_NAMES[order.cause],
            "rule": rule_of(view, order),
            "shares": int(order.ordered),
        }
        return Verdict(code=Code.SELL_ORDERED, facts=facts)
    return None


def _of_holding(view: RunView, close: Close, column: int, found: Decision) -> Verdict:
    """A holding that this close did not order to sell."""
    position = certain(position_of(close.moment, column), "no position where there is a holding")
    holding = certain(found.holding, "no holding where there is a position")
    if position.pending > 0:
        order = close.moment.decided.orders[int(position.pending) - 1]
        facts: dict[str, Fact] = {
            "cause": codes.CAUSE_NAMES[order.cause],
            "decided": view.day(int(order.decided)),
            "shares": int(order.ordered - order.filled),
        }
        return Verdict(code=Code.KEPT_LEAVING, facts=facts)
    if not view.panel.fields["listed"][close.moment.t, column]:
        return Verdict(code=Code.KEPT_NOT_LISTED)
    if position.leaving > 0 and position.shares == position.unlisted:
        return Verdict(code=Code.KEPT_UNLISTED, facts={"shares": int(position.unlisted)})
    moved = close.why(column)
    if moved is not None and moved.code is not Code.KEPT:
        return moved
    back = kept_back(view, holding)
    if back is not None:
        facts = {"cause": back.kind, "held": holding.held, "min_holding": holding.min_holding}
        return Verdict(code=Code.KEPT_MIN_HOLDING, facts={**facts, "unit": holding.unit})
    return Verdict(code=Code.KEPT, facts={"exits": len(holding.exits), "next": found.next_rebalancing})


def _of_stranger(view: RunView, close: Close, column: int, found: Decision) -> Verdict:
    """A symbol that is not held."""
    if close.unsafe:
        market = certain(found.market, "an unsafe market without a filter")
        reason = "formula" if market.month_allowed else "month"
        return Verdict(code=Code.MARKET_UNSAFE, facts={"reason": reason, "month": market.month})
    place: dict[str, Fact] = {"place": found.standing.place, "candidates": found.standing.candidates}
    why = close.why(column)
    if why is not None:
        return replace(why, facts={**place, **why.facts})
    live = _live_purchase(view, close, column)
    if live is not None:
        return live
    if any(lot.symbol == column for lot in close.expired):
        return Verdict(code=Code.WAIT_OVER)
    if view.strategy.rebalancing.mode == "target" and not close.due:
        return Verdict(code=Code.NO_REBALANCING, facts={"next": found.next_rebalancing})
    other = _no_candidate(view, found)
    if other is not None:
        return other
    rest = certain(close.rest, "a candidate the decisions came to has no answer")
    last: dict[str, Fact] = {"last_place": found.standing.last_place, "last_symbol": found.standing.last_bought}
    return replace(rest, facts={**place, **last, **rest.facts})


def _live_purchase(view: RunView, close: Close, column: int) -> Verdict | None:
    state = close.moment.decided
    for row in state.active[: state.book[0].n_active]:
        order = state.orders[row]
        if order.symbol == column and order.side == codes.BUY and order.status == codes.OPEN:
            return Verdict(code=Code.ALREADY_ORDERED, facts={"decided": view.day(int(order.decided))})
    return None


def _no_candidate(view: RunView, found: Decision) -> Verdict | None:
    """Why the symbol could not be bought at all at this close; None where it is a candidate."""
    if not found.in_universe:
        failed = next((line for line in found.universe if not line.passes), None)
        outside = certain(failed, "every filter passes, yet the run has the symbol outside of its universe")
        return Verdict(code=Code.OUTSIDE_UNIVERSE, facts=_filter_facts(outside))
    if not found.entry_holds:
        failing = tuple(line.id for line in found.entry if line.holds is False)
        unknown = tuple(line.id for line in found.entry if line.holds is None)
        facts: dict[str, Fact] = {"logic": found.entry_logic, "failing": failing, "unknown": unknown}
        return Verdict(code=Code.RULES_FAIL, facts=facts)
    standing = found.standing
    if standing.place_before_keep is None:
        unknown = tuple(part.formula for part in standing.parts if part.value is None)
        return Verdict(code=Code.SCORE_UNKNOWN, facts={"unknown": unknown})
    if standing.place is None:
        ranking = view.strategy.ranking
        facts = {"place": standing.place_before_keep, "keep": ranking.keep, "count": ranking.count}
        return Verdict(code=Code.OUTSIDE_KEPT, facts=facts)
    return None


def _filter_facts(line: FilterLine) -> dict[str, Fact]:
    return {"filter": line.code, "wanted": line.wanted, "found": line.found, "unknown": int(line.unknown)}
