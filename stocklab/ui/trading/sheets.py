"""A decision as tables and sentences: its orders, why it bought that or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import streamlit as st

from stocklab.backtest.decide import Decision
from stocklab.backtest.sleeve_book import SleeveOrder
from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.result import frames
from stocklab.ui.text import _, language

__all__ = ["orders_table", "why_lines"]


def orders_table(decision: Decision) -> None:
    """Orders to be sent, those kept, and those that were not sent."""
    rows = [
        *_rows(decision, decision.orders, _("to be sent")),
        *_rows(decision, decision.kept, _("kept")),
        *_rows(decision, decision.cancelled, _("taken back")),
        *_rows(decision, decision.refused, _("not sent")),
    ]
    if rows:
        blocks.table(
            (_("Stock"), _("Side"), _("Quantity"), _("Weight before"), _("Money set aside"), _("Why"), ""),
            rows,
            stacked=True,
        )


def _rows(decision: Decision, orders: Iterable[SleeveOrder], fate: str) -> list[tuple[str, ...]]:
    names, unit, spoken = cached.names(), decision.book.unit, language()
    worth = {one.symbol: one.shares * one.last_close // unit for one in decision.book.positions}
    sides = {"buy": _("Buy"), "sell": _("Sell")}
    found: list[tuple[str, ...]] = []
    for order in orders:
        why = [frames.reason_name(order.cause), order.rule_text, frames.reason_name(order.reason)]
        reserved = None if not order.reserved else float(Decimal(order.reserved) / unit)
        weight = worth.get(order.symbol, 0) / decision.equity if decision.equity else None
        found.append(
            (
                f"{names.get(order.symbol, '')} {order.symbol}".strip(),
                sides[order.side.value],
                f"{(Decimal(order.shares) / unit).normalize():,f}",
                fmt.percent(weight, digits=1),
                fmt.krw(reserved, spoken),
                " · ".join(one for one in why if one),
                fate,
            )
        )
    return found


def why_lines(decision: Decision) -> None:
    """The counts behind a decision, also of one that did nothing."""
    counts, unit, spoken = decision.counts, decision.book.unit, language()
    lines = []
    if decision.unsafe:
        lines.append(_("The market filter says not to be invested."))
    if decision.rebalancing:
        lines.append(_("A rebalancing was due."))
    lines.append(
        _("{universe} stocks in the universe, {entry} meet the conditions to buy, {candidates} are candidates.").format(
            universe=fmt.count(counts.universe), entry=fmt.count(counts.entry), candidates=fmt.count(counts.candidates)
        )
    )
    lines += [
        _("Condition {rule} holds for {count}.").format(rule=escape(rule), count=fmt.count(count))
        for rule, count in counts.rules.items()
    ]
    if counts.unknown_scores:
        lines.append(_("{count} have no score.").format(count=fmt.count(counts.unknown_scores)))
    if counts.slots is None:
        lines.append(_("No purchase was decided on at this close."))
    else:
        cash = None if counts.cash is None else counts.cash / unit
        lines.append(
            _("Free places: {slots}, cash for purchases: {cash}.").format(
                slots=fmt.count(counts.slots), cash=fmt.krw(cash, spoken)
            )
        )
    st.markdown("\n".join(f"- {line}" for line in lines))
