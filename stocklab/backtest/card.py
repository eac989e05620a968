"""The run card: what was run, on what, and what to know before believing it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

import stocklab
from stocklab.backtest import codes
from stocklab.backtest.code_stamp import code_stamp
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan
from stocklab.backtest.result import RunRequest
from stocklab.backtest.statement_facts import statement_facts, statement_note
from stocklab.market.entitlements import DIVIDEND_UNITS_PER_KRW
from stocklab.market.panel import Panel, PriceBasis
from stocklab.types import AnyArray

__all__ = ["MOST_SHARE_CHANGES", "build_card"]

MOST_SHARE_CHANGES = 500
"""Share changes listed one by one; the rest is only counted."""


def build_card(
    panel: Panel, request: RunRequest, plan: Plan, state: State, *, run_id: str, engine_version: int
) -> Mapping[str, Any]:
    """JSON-ready card; only what follows from the inputs, so that the same inputs give the same bytes."""
    strategy = request.strategy
    reports = statement_facts(panel, strategy, plan.last)
    document = strategy.model_dump(mode="json")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "run_id": run_id,
        "name": strategy.name,
        "strategy": document,
        "strategy_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "start": request.start.isoformat(),
        "end": request.end.isoformat(),
        "first_session": str(panel.sessions[plan.first]),
        "last_session": str(panel.sessions[plan.last - 1]),
        "n_sessions": plan.last - plan.first,
        "initial_cash_krw": request.initial_cash_krw,
        "seed": request.seed,
        "price_basis": panel.basis.value,
        "snapshot_id": panel.snapshot_id,
        "panel_key": panel.key,
        "synthetic": panel.synthetic,
        "label": "demo data (synthetic)" if panel.synthetic else "",
        "version": stocklab.__version__,
        "engine_version": engine_version,
        "code_sha256": code_stamp(),
        "first_purchase": _first_purchase(panel, state),
        "mode": strategy.rebalancing.mode,
        "benchmark": strategy.benchmark,
        "benchmark_known": strategy.benchmark in panel.indices,
        "benchmark_kind": _benchmark_kind(panel),
        "statements": None if reports is None else dict(reports),
        "risk_free": "dated series" if panel.rf_known else "0 (no series loaded)",
        "lacking": [lack.as_json() for lack in plan.coverage.lacks],
        "counts": _counts(panel, plan, state),
        "share_changes": _share_changes(panel, state),
        "dividends": _dividends(panel, plan, state),
        "warnings": _warnings(plan, state),
        "notes": [*_notes(panel, plan, state), *(() if reports is None else (statement_note(reports),))],
    }


def _first_purchase(panel: Panel, state: State) -> str | None:
    """Session of the first purchase; None when nothing was bought."""
    trades = state.trades[: state.book[0].n_trades]
    bought = trades["session"][trades["side"] == codes.BUY]
    return str(panel.sessions[bought[0]]) if len(bought) else None


def _counts(panel: Panel, plan: Plan, state: State) -> dict[str, Any]:
    book = state.book[0]
    orders, trades = state.orders[: book.n_orders], state.trades[: book.n_trades]
    actions = state.actions[: book.n_actions]
    reasons = np.bincount(orders["reason"], minlength=len(codes.REASON_NAMES))
    return {
        **plan.counts,
        "orders": int(book.n_orders),
        "buys": int(book.n_buys),
        "sells": int(book.n_sells),
        "orders_not_filled_whole": int(np.count_nonzero(orders["filled"] < orders["ordered"])),
        "reasons": {codes.REASON_NAMES[code]: int(count) for code, count in enumerate(reasons) if count and code != 0},
        "series_ended_early": int(book.ended_early),
        "delisted_while_held": int(np.count_nonzero(trades["cause"] == codes.DELISTING)),
        "base_price_moves_without_share_change": int(book.base_moves),
        "rights_credited": int(np.count_nonzero(actions["kind"] == codes.RIGHTS)),
        "spin_offs_while_held": _spin_offs(panel, plan, state),
        "unknown_weights": int(book.unknown_weight),
        "share_changes": len(_changes(state)),
        "hypothetical_share_counts": panel.basis is PriceBasis.ADJUSTED,
        "tv_estimated": panel.tv_estimated,
    }


def _benchmark_kind(panel: Panel) -> str:
    if panel.basis is PriceBasis.COIN:
        return "price of a coin in won"
    if panel.entitlements.dividends_known:
        return "price index, without dividends; those of the strategy are booked"
    return "price index; dividends are booked neither in it nor in the strategy"


def _changes(state: State) -> AnyArray:
    """Splits, consolidations, reductions and bonus issues of holdings."""
    actions: AnyArray = state.actions[: state.book[0].n_actions]
    changes: AnyArray = actions[np.isin(actions["kind"], (codes.SHARE_CHANGE, codes.BONUS))]
    return changes


def _dividends(panel: Panel, plan: Plan, state: State) -> dict[str, Any]:
    """What was paid, and what is still due after the last session; KRW before and withheld tax."""
    actions = state.actions[: state.book[0].n_actions]
    paid = actions[actions["kind"] == codes.DIVIDEND]
    claims = state.claims[: state.book[0].n_claims]
    due = claims[claims["kind"] == codes.DIVIDEND]
    known = panel.entitlements
    inside = (known.dividend_row >= plan.first) & (known.dividend_row < plan.last)
    return {
        "known": known.dividends_known,
        "paid": len(paid),
        "paid_krw": int(paid["cash"].sum()),
        "withheld_krw": int(paid["tax"].sum()),
        "due": len(due),
        "due_krw": int((due["shares"] * due["units"] // DIVIDEND_UNITS_PER_KRW).sum()),
        "days_of_payment_expected": int(np.count_nonzero(known.dividend_guessed[inside])),
        "in_range": int(np.count_nonzero(inside)),
    }


def _spin_offs(panel: Panel, plan: Plan, state: State) -> int:
    """Holdings that came through what looks like a spin-off: what their holders received is missing."""
    known = panel.entitlements
    inside = (known.spin_off_row >= plan.first) & (known.spin_off_row < plan.last)
    held = state.held[: state.book[0].n_held]
    keys = held["session"] * panel.n_symbols + held["symbol"]
    before = (known.spin_off_row[inside] - 1) * panel.n_symbols + known.spin_off_symbol[inside]
    return int(np.isin(before, keys).sum())


def _share_changes(panel: Panel, state: State) -> list[dict[str, Any]]:
    return [
        {
            "session": str(panel.sessions[action.session]),
            "symbol": panel.symbols[action.symbol],
            "kind": codes.ACTION_NAMES[action.kind],
            "new": int(action.new),
            "old": int(action.old),
            "shares_before": int(action.before),
            "shares_after": int(action.after),
            "fraction_krw": int(action.cash),
        }
        for action in _changes(state)[:MOST_SHARE_CHANGES]
    ]


def _warnings(plan: Plan, state: State) -> list[str]:
    """Why the result may not be what was meant: rules that could never hold, and a book that never bought."""
    found = [lack.sentence for lack in plan.coverage.lacks]
    return found if state.book[0].n_buys else [*found, _why_nothing(plan)]


def _why_nothing(plan: Plan) -> str:
    never: Any = plan.counts["rules_never_held"]
    if not plan.universe[plan.first : plan.last].any():
        return "Nothing was bought: no stock was in the universe on any session."
    if never:
        return (
            f"Nothing was bought: for {', '.join(never)} no stock of the universe passed on any session. The condition "
            "is too strict, or what it reads has too little history in this range."
        )
    return "Nothing was bought."


def _dividend_notes(panel: Panel, plan: Plan, state: State) -> list[str]:
    found = _dividends(panel, plan, state)
    notes = [
        f"{found['paid']:,} cash dividends were paid in ({found['paid_krw']:,} won, of which {found['withheld_krw']:,} "
        "withheld), each on its day of payment. The benchmark is a price index without dividends."
    ]
    if found["due"]:
        notes.append(
            f"{found['due']:,} dividends ({found['due_krw']:,} won before tax) are due after the last session and not "
            "in its equity."
        )
    if found["days_of_payment_expected"]:
        notes.append(
            f"The day of payment of {found['days_of_payment_expected']:,} of {found['in_range']:,} dividends is "
            "expected, not published."
        )
    return notes


def _notes(panel: Panel, plan: Plan, state: State) -> list[str]:
    """What a careful reader wants to know, in English; the page has the same in Korean by count."""
    book = state.book[0]
    notes = [*panel.notes, *_warnings(plan, state)]
    if panel.basis is PriceBasis.COIN:
        notes.append(
            "Coins of Upbit: every UTC day is a session. Ticks that single coins had of their own and the largest "
            "order of the exchange are not simulated, nor is what happens to a coin that is delisted."
        )
    elif panel.basis is PriceBasis.ADJUSTED:
        notes.append(
            "Adjusted prices: share counts are hypothetical, price limits are judged with a tolerance, cash dividends "
            "are not booked."
        )
    elif not panel.entitlements.dividends_known:
        notes.append("Cash dividends are not booked: none are loaded.")
    else:
        notes += _dividend_notes(panel, plan, state)
    first = _first_purchase(panel, state)
    if first not in (None, str(panel.sessions[min(plan.first + 1, plan.last - 1)])):
        notes.append(
            f"The first purchase was on {first}; until then the book was cash, because nothing met the rules or an "
            "indicator had too little history. The figures count that time."
        )
    if panel.tv_estimated:
        notes.append("Traded value is estimated as close x volume where none was published.")
    if book.ended_early:
        notes.append(
            f"{int(book.ended_early)} holdings had a series that ends early; they stay at their last close until a "
            "delisting is recorded."
        )
    if book.base_moves:
        notes.append(
            f"{int(book.base_moves)} times a holding's base price moved without a share change known for that session "
            "(rights, bonus shares or spin-offs that are not recorded): the shares stayed as they were, so what "
            "holders received is missing."
        )
    spun = _spin_offs(panel, plan, state)
    if spun:
        notes.append(
            f"{spun} holdings came through what looks like a spin-off: the shares of the new company that holders "
            "received are not counted."
        )
    unknown = {name: count for name, count in dict(plan.counts["unknown_flags"]).items() if count}  # type: ignore[call-overload]
    if unknown:
        names = ", ".join(f"{name} ({count:,})" for name, count in sorted(unknown.items()))
        notes.append(f"Exclusions unknown for some symbol-sessions of the universe, which stayed in: {names}.")
    lists: Any = plan.counts["unknown_lists"]
    notes += [
        f"The members of {name} are not known on {count:,} of {plan.last - plan.first:,} sessions; nobody counts as a "
        "member then."
        for name, count in sorted(lists.items())
    ]
    return notes
