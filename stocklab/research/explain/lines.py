"""An explanation as lines of text for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stocklab.research.explain.sentences import sentence
from stocklab.research.explain.values import (
    Bar,
    Compared,
    Decision,
    ExitLine,
    Explanation,
    FilterLine,
    Holding,
    MarketLine,
    RuleLine,
    Standing,
)
from stocklab.research.explain.words import CAUSES, FILTERS, Language, named
from stocklab.strategy.document import OwnFactor
from stocklab.strategy.words import describe_rule, describe_value

__all__ = ["amount_text", "describe_explained", "truth_text"]

_MARKS = {True: "+", False: "-", None: "?"}
_LABELS = {
    "bar": ("시세", "Bar"),
    "met": ("장중", "In the session"),
    "origin": ("주문을 낸 결정", "The decision behind it"),
    "close": ("이날 종가의 결정", "The decision at this close"),
    "universe": ("대상 종목 조건", "Universe"),
    "entry": ("매수 조건", "Conditions to buy"),
    "exit": ("매도 조건", "Conditions to sell"),
    "market": ("시장 필터", "Market filter"),
    "ranking": ("순위", "Ranking"),
    "holding": ("보유", "Holding"),
    "money": ("자리와 현금", "Places and cash"),
}


def describe_explained(found: Explanation, language: Language, own: Sequence[OwnFactor] = ()) -> list[str]:
    """The answer first, then what happened in the session, then the decisions with everything they looked at."""
    name = f"{found.name} ({found.symbol})" if found.name else found.symbol
    lines = [f"{name}, {found.session}: {sentence(found.headline, language)}", f"  {_bar(found.bar, language)}"]
    if found.met or found.events:
        lines.append(f"  {_label('met', language)}")
    lines += [
        f"    {event.kind}: {event.before:,} -> {event.after:,} ({event.paid_krw:,}, {event.tax_krw:,})"
        for event in found.events
    ]
    lines += [f"    #{met.order_id} {met.decided}: {sentence(met.verdict, language)}" for met in found.met]
    if found.origin is not None:
        lines += _decision("origin", found.origin, language, own)
    return lines + _decision("close", found.close, language, own)


def _label(key: str, language: Language) -> str:
    return _LABELS[key][language == "en"]


def _bar(bar: Bar, language: Language) -> str:
    prices = " / ".join(amount_text(each) for each in (bar.open_krw, bar.high_krw, bar.low_krw, bar.close_krw))
    text = f"{_label('bar', language)}: {prices}, {amount_text(bar.volume)}"
    if not bar.traded:
        text += " - " + (("거래 없음", "no trade") if bar.listed else ("미상장", "not listed"))[language == "en"]
    if bar.lower_krw is not None:
        text += f" [{amount_text(bar.lower_krw)} .. {amount_text(bar.upper_krw)}]"
    return text


def _decision(key: str, found: Decision, language: Language, own: Sequence[OwnFactor]) -> list[str]:
    lines = [f"  {_label(key, language)} ({found.session}): {sentence(found.verdict, language)}"]
    for order in found.orders:
        ended = f"{order.status}{f' ({order.reason})' if order.reason else ''}"
        lines.append(f"    #{order.order_id} {order.side} {order.shares:,}: {order.filled:,} {ended}, {order.ended}")
    lines.append(f"    {_label('universe', language)}")
    lines += [f"      {_filter(line, language)}" for line in found.universe]
    for part, rules, logic, holds in (
        ("entry", found.entry, found.entry_logic, found.entry_holds),
        ("exit", found.exit, found.exit_logic, found.exit_holds),
    ):
        if rules:
            lines.append(f"    {_label(part, language)}: {logic} -> {truth_text(holds, language)}")
            lines += [line for rule in rules for line in _rule(rule, language, own)]
    if found.market is not None:
        lines += _market(found.market, language)
    lines += _ranking(found.standing, language, own)
    purse = found.purse
    lines.append(
        f"    {_label('money', language)}: {purse.free_places} / {purse.max_holdings}, "
        f"{purse.countable_krw:,} / {purse.cash_krw:,}"
    )
    if found.holding is not None:
        lines += _holding(found.holding, language)
    return lines


def _filter(line: FilterLine, language: Language) -> str:
    text = f"{_MARKS[line.passes]} {named(FILTERS, line.code, language)}"
    if line.wanted is not None:
        text += f" [{amount_text(line.wanted)}]"
    if line.unknown:
        return text + ": ?"
    return text if line.found is None else f"{text}: {amount_text(line.found)}"


def _rule(rule: RuleLine, language: Language, own: Sequence[OwnFactor]) -> Iterator[str]:
    yield f"      {_MARKS[rule.holds]} {rule.id}  {describe_rule(rule.formula, language, own)}"
    for each in rule.compared:
        yield f"          {_MARKS[each.holds]} {_compared(each)}"


def _compared(each: Compared) -> str:
    def side(text: str, value: float | None) -> str:
        number = amount_text(value)
        return number if number == text else f"{text} {number}"

    return f"{side(each.left, each.left_value)} {each.operator} {side(each.right, each.right_value)}"


def _market(market: MarketLine, language: Language) -> Iterator[str]:
    yield f"    {_label('market', language)}: {truth_text(not market.unsafe, language)} ({market.month})"
    if market.formula is not None:
        yield f"      {_MARKS[market.holds]} {market.index}: {market.formula}"
        for each in market.compared:
            yield f"          {_MARKS[each.holds]} {_compared(each)}"


def _ranking(found: Standing, language: Language, own: Sequence[OwnFactor]) -> Iterator[str]:
    counts = f"{amount_text(found.place)} / {found.candidates:,} ({found.passing:,}, {found.members:,})"
    last = "" if found.last_place is None else f"; {found.last_bought} {found.last_place:,}"
    yield f"    {_label('ranking', language)}: {counts}{last}"
    for part in found.parts:
        added = "" if part.part is None else f" -> {part.part:+.6g}"
        arrow = "^" if part.direction == "high" else "v"
        yield f"      {arrow} {describe_value(part.formula, language, own)}: {amount_text(part.value)}{added}"


def _holding(found: Holding, language: Language) -> Iterator[str]:
    yield (
        f"    {_label('holding', language)}: {found.shares:,} x {found.close_krw:,} = {found.value_krw:,} "
        f"(avg {found.average_krw:,.2f}, {found.entered}, {found.held} {found.unit})"
    )
    for line in found.exits:
        yield f"      {_exit(line, language)}"


def _exit(line: ExitLine, language: Language) -> str:
    text = f"{_MARKS[line.reached]} {named(CAUSES, line.kind, language)}"
    if line.basis:
        text += f" ({line.basis})"
    if line.level is not None:
        text += f" {amount_text(line.level)} : {amount_text(line.now)}"
    return text


def truth_text(holds: bool | None, language: Language) -> str:
    """True, false or unknown.

    >>> truth_text(None, "en"), truth_text(True, "ko")
    ('unknown', '참')
    """
    words = {True: ("참", "true"), False: ("거짓", "false"), None: ("알 수 없음", "unknown")}
    return words[holds][language == "en"]


def amount_text(value: str | float | None) -> str:
    """A number in a few digits with separators; text as it is, a dash where nothing is known.

    >>> amount_text(71200.0), amount_text(0.0312345678), amount_text(None)
    ('71,200', '0.0312346', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if float(value).is_integer() or abs(value) >= 1e6:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:,.6g}"
