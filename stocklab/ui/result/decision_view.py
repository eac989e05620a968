"""The decision of one close about one stock: rules with their values, universe, rank, money, ways out, orders."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.research.explain.sentences import sentence
from stocklab.research.explain.values import (
    Bar,
    Compared,
    Decision,
    Event,
    ExitLine,
    Explanation,
    FilterLine,
    RuleLine,
    Standing,
)
from stocklab.research.explain.words import FILTERS, named
from stocklab.strategy import parse_document
from stocklab.strategy.document import OwnFactor
from stocklab.strategy.words import describe_rule, describe_value
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.result import frames
from stocklab.ui.result.amounts import amount, named_value
from stocklab.ui.text import _, language

__all__ = ["bar_words", "decision", "met_table", "own_factors"]

_SIGNS = {True: ":green[:material/check_circle:]", False: ":red[:material/cancel:]", None: ":gray[:material/help:]"}
Own = Sequence[OwnFactor]


def own_factors(result: Result) -> Own:
    """Factors of the document's own, by whose names its formulas are read."""
    return parse_document(dict(result.card["strategy"])).factors


def bar_words(bar: Bar) -> str:
    """The session's prices in one line of Markdown."""
    names = (_("Opening price"), _("High"), _("Low"), _("Closing price"))
    prices = (bar.open_krw, bar.high_krw, bar.low_krw, bar.close_krw)
    parts = [f"{name} {fmt.count(price)}" for name, price in zip(names, prices, strict=True)]
    parts.append(f"{_('Volume')} {fmt.count(bar.volume)}")
    if bar.lower_krw is not None:
        parts.append(f"{_('Price limits')} {fmt.count(bar.lower_krw)}–{fmt.count(bar.upper_krw)}")
    if not bar.listed:
        parts.append(_("Not listed"))
    elif not bar.traded:
        parts.append(_("No trade in this session"))
    return f":gray[:small[{escape(' · '.join(parts))}]]"


def met_table(found: Explanation) -> None:
    """Orders that met the session, and share changes before its open."""
    for event in found.events:
        st.markdown(_event_words(event))
    if found.met:
        heads = [
            _("Order no."),
            _("Decided"),
            _("Side"),
            _("Ordered"),
            _("Filled"),
            _("Price"),
            _("Limit"),
            _("What happened"),
        ]
        rows = [
            [
                f"#{met.order_id}",
                fmt.day(met.decided),
                _("Buy") if met.side == "buy" else _("Sell"),
                fmt.count(met.shares),
                fmt.count(met.filled),
                fmt.count(met.price_krw),
                fmt.count(met.limit_krw),
                sentence(met.verdict, language()),
            ]
            for met in found.met
        ]
        blocks.table(heads, rows, stacked=True)


def _event_words(event: Event) -> str:
    paid, tax = (fmt.krw_exact(amount, language()) for amount in (event.paid_krw, event.tax_krw))
    if event.kind == "dividend":
        return _("Dividend: {paid} paid, {tax} withheld.").format(paid=paid, tax=tax)
    if event.kind == "rights":
        return _("Rights: {paid} paid.").format(paid=paid)
    words = _("Share change, {new} new for {old} old: {before} shares became {after}, {paid} paid for the fraction.")
    return words.format(
        new=event.new, old=event.old, before=fmt.count(event.before), after=fmt.count(event.after), paid=paid
    )


def decision(found: Decision, own: Own, *, key: str) -> None:
    """Everything a close looked at, and what it decided."""
    st.markdown(f"**{escape(sentence(found.verdict, language()))}**")
    if found.orders:
        _orders(found)
    left, right = st.columns(2, gap="medium")
    with left:
        _rules(_("Conditions to buy"), found.entry, found.entry_logic, found.entry_holds, own)
        _rules(_("Conditions to sell"), found.exit, found.exit_logic, found.exit_holds, own)
        _market(found)
        _holding(found)
    with right:
        _standing(found.standing, own)
        _purse(found)
        _universe(found, key)


def _orders(found: Decision) -> None:
    heads = [_("Order no."), _("Side"), _("Ordered"), _("Filled"), _("State"), _("Reason"), _("Session")]
    rows = [
        [
            f"#{order.order_id}",
            _("Buy") if order.side == "buy" else _("Sell"),
            fmt.count(order.shares),
            fmt.count(order.filled),
            frames.status_name(order.status),
            frames.reason_name(order.reason) if order.reason else fmt.DASH,
            fmt.day(order.ended),
        ]
        for order in found.orders
    ]
    blocks.table(heads, rows, stacked=True)


def _rules(title: str, rules: Sequence[RuleLine], logic: str, holds: bool, own: Own) -> None:
    if not rules:
        return
    st.markdown(f"**{title}** `{logic}` {_SIGNS[holds]}")
    for rule in rules:
        words = escape(describe_rule(rule.formula, language(), own))
        values = [_compared(each, own) for each in rule.compared]
        small = "".join(f"  \n:gray[:small[{escape(text)}]]" for text in values)
        st.markdown(f"{_SIGNS[rule.holds]} :primary-badge[{rule.id}] {words}{small}")


def _compared(each: Compared, own: Own) -> str:
    left, right = named_value(each.left, each.left_value, own), named_value(each.right, each.right_value, own)
    mark = {True: "○", False: "×", None: "?"}[each.holds]
    return f"{mark} {left} {each.operator} {right}"


def _market(found: Decision) -> None:
    market = found.market
    if market is None:
        return
    st.markdown(f"**{_('Market filter')}** {_SIGNS[not market.unsafe]}")
    if market.formula is not None:
        values = "".join(f"  \n:gray[:small[{escape(_compared(each, ()))}]]" for each in market.compared)
        words = escape(describe_rule(market.formula, language()))
        st.markdown(f"{_SIGNS[market.holds]} {market.index}: {words}{values}")
    month = _("Month of the next session: {month}").format(month=market.month)
    st.markdown(f"{_SIGNS[market.month_allowed]} {month}")


def _standing(found: Standing, own: Own) -> None:
    st.markdown(f"**{_('Ranking')}**")
    facts = {
        _("Place"): _("{place} of {count}").format(place=fmt.count(found.place), count=fmt.count(found.candidates))
        if found.place is not None
        else _("no candidate (there were {count})").format(count=fmt.count(found.candidates)),
        _("Conditions held for"): _("{count} of {members} in the universe").format(
            count=fmt.count(found.passing), members=fmt.count(found.members)
        ),
        _("Bought at this close"): fmt.count(found.bought),
    }
    if found.last_place is not None:
        facts[_("Last that was bought")] = _("place {place}, {symbol}").format(
            place=fmt.count(found.last_place), symbol=found.last_bought
        )
    if found.score is not None:
        facts[_("Score")] = amount(found.score)
    if found.universe_place is not None:
        facts[_("Place in the universe")] = fmt.count(found.universe_place)
    blocks.facts(facts)
    if found.parts:
        heads = [_("Factor"), _("Better"), _("Value"), _("Adds to the score")]
        rows = [
            [
                describe_value(part.formula, language(), own),
                _("high") if part.direction == "high" else _("low"),
                amount(part.value),
                fmt.DASH if part.part is None else amount(part.part),
            ]
            for part in found.parts
        ]
        blocks.table(heads, rows, stacked=True)


def _purse(found: Decision) -> None:
    purse, spoken = found.purse, language()
    st.markdown(f"**{_('Places and cash at this close')}**")
    blocks.facts(
        {
            _("Free places"): _("{free} of {most}").format(free=purse.free_places, most=purse.max_holdings),
            _("Cash to count on"): fmt.krw_exact(purse.countable_krw, spoken),
            _("Cash"): fmt.krw_exact(purse.cash_krw, spoken),
            _("Equity"): fmt.krw_exact(purse.equity_krw, spoken),
        }
    )


def _universe(found: Decision, key: str) -> None:
    sign = _SIGNS[found.in_universe]
    with st.expander(f"{_('Universe')} {sign}", expanded=not found.in_universe, key=f"explain_universe_{key}"):
        for line in found.universe:
            st.markdown(_filter(line))


def _filter(line: FilterLine) -> str:
    values = []
    if line.wanted is not None:
        values.append(_("wanted {value}").format(value=amount(line.wanted)))
    if line.unknown:
        values.append(_("unknown"))
    elif line.found is not None:
        values.append(_("found {value}").format(value=amount(line.found)))
    small = f" :gray[:small[{escape(' · '.join(values))}]]" if values else ""
    return f"{_SIGNS[line.passes]} {escape(named(FILTERS, line.code, language()))}{small}"


def _holding(found: Decision) -> None:
    holding, spoken = found.holding, language()
    if holding is None:
        return
    st.markdown(f"**{_('Holding after this close')}**")
    unit = _("{count} sessions") if holding.unit == "sessions" else _("{count} calendar days")
    change = holding.close_krw / holding.average_krw - 1 if holding.average_krw > 0 else None
    blocks.facts(
        {
            _("Shares"): fmt.count(holding.shares),
            _("Average price"): fmt.krw_exact(holding.average_krw, spoken),
            _("Value"): fmt.krw_exact(holding.value_krw, spoken),
            _("Change since the purchase"): fmt.percent(change, signed=True),
            _("Held"): unit.format(count=holding.held)
            + (f" ({_('at least {count}').format(count=holding.min_holding)})" if holding.min_holding else ""),
        }
    )
    if holding.exits:
        heads = [_("Way out"), _("Sells at"), _("Now"), _("Distance")]
        blocks.table(heads, [_exit(line) for line in holding.exits], stacked=True)
    else:
        st.caption(_("There is no rule to sell it."))


def _exit(line: ExitLine) -> list[str]:
    name = frames.reason_name(line.kind)
    if line.kind in ("target", "stop", "trailing"):
        basis = _("intraday") if line.basis == "intraday" else _("at the close")
        away = None if line.now is None or not line.now or line.level is None else line.level / line.now - 1
        return [f"{name} ({basis})", fmt.count(line.level), fmt.count(line.now), fmt.percent(away, signed=True)]
    if line.level is None:
        return [name, _("when true"), _("true") if line.reached else _("false"), fmt.DASH]
    left = fmt.DASH if line.now is None else fmt.count(line.level - line.now)
    return [name, fmt.count(line.level), fmt.count(line.now), left]
