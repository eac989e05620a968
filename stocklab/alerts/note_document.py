"""The note of a day, made of its facts: what was done, what was not and why, also when nothing happened. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stocklab.alerts.day_facts import BlockedBy, DayFacts, OrderLine, TraderDay, TraderState
from stocklab.alerts.note_words import NOTE_LINES, NOTE_TITLES
from stocklab.alerts.words import Language, filled_in

__all__ = ["NoteDocument", "NoteLine", "NoteSection", "compose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """A line by its name in `NOTE_LINES`, with its parameters."""

    name: str
    params: Mapping[str, Any]

    def text(self, language: Language) -> str:
        """The line in a language."""
        return filled_in(NOTE_LINES[self.name][language], self.params, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSection:
    """Lines under a title, a name in `NOTE_TITLES`."""

    title: str
    lines: tuple[NoteLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteDocument:
    """A note that can be shown in either language."""

    session: str
    headline: NoteLine
    why: NoteLine | None
    sections: tuple[NoteSection, ...]

    def headline_text(self, language: Language) -> str:
        """One line."""
        why = "" if self.why is None else self.why.text(language)
        return NoteLine(name=self.headline.name, params={**self.headline.params, "why": why}).text(language)

    def text(self, language: Language) -> str:
        """The whole note below its headline, as plain text."""
        parts = []
        for section in self.sections:
            lines = "\n".join(f"- {line.text(language)}" for line in section.lines)
            parts.append(f"[{NOTE_TITLES[section.title][language]}]\n{lines}")
        return "\n\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "version": 1,
            "session": self.session,
            "headline": _line_json(self.headline),
            "why": None if self.why is None else _line_json(self.why),
            "sections": [
                {"title": section.title, "lines": [_line_json(line) for line in section.lines]}
                for section in self.sections
            ],
        }

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> NoteDocument:
        """As it was stored; lines that this version does not know are left out."""
        sections = (
            NoteSection(
                title=section["title"],
                lines=tuple(_json_line(line) for line in section["lines"] if line["name"] in NOTE_LINES),
            )
            for section in document["sections"]
            if section["title"] in NOTE_TITLES
        )
        why = document["why"]
        return cls(
            session=document["session"],
            headline=_json_line(document["headline"]),
            why=None if why is None else _json_line(why),
            sections=tuple(sections),
        )


def compose(facts: DayFacts) -> NoteDocument:
    """The note of a day. The same facts make the same note."""
    fills = sum(len(trader.filled) for trader in facts.traders)
    sections = [
        NoteSection(title="done", lines=tuple(_done(facts))),
        NoteSection(title="not_done", lines=tuple(_not_done(facts))),
        NoteSection(title="doubt", lines=tuple(_order("in_doubt", "", order) for order in facts.in_doubt)),
        NoteSection(title="positions", lines=tuple(_positions(facts))),
        NoteSection(title="gap", lines=tuple(_gaps(facts))),
        NoteSection(title="next", lines=tuple(_next(facts))),
    ]
    session = facts.session.isoformat()
    if fills:
        day = "–" if facts.day_krw is None else f"{facts.day_krw:+,}"
        headline, why = _line("headline_traded", session=session, fills=fills, day=day), None
    elif not facts.is_session:
        headline, why = _line("headline_closed", session=session), None
    else:
        headline, why = _line("headline_quiet", session=session), _line(_why(facts))
    return NoteDocument(
        session=session, headline=headline, why=why, sections=tuple(section for section in sections if section.lines)
    )


def _why(facts: DayFacts) -> str:
    """The one reason that the headline of a quiet day names."""
    working = [trader for trader in facts.traders if trader.state in (TraderState.ACTIVE, TraderState.NO_ENTRIES)]
    if not facts.traders or (not working and not any(trader.blocked for trader in facts.traders)):
        return "why_no_trader"
    if facts.kill_switch is not None or any(trader.blocked or trader.refused for trader in facts.traders):
        return "why_blocked"
    if any(trader.unfilled or trader.rejected for trader in facts.traders):
        return "why_unfilled"
    if any(trader.matched for trader in facts.traders):
        return "why_held"
    return "why_no_signal"


def _done(facts: DayFacts) -> Iterator[NoteLine]:
    lines = [_order("filled", trader.name, order) for trader in facts.traders for order in trader.filled]
    yield from lines or [_line("nothing_done")]


def _not_done(facts: DayFacts) -> Iterator[NoteLine]:
    if not facts.is_session:
        yield _line("why_closed", holiday=f" ({facts.holiday})" if facts.holiday else "")
        return
    if facts.kill_switch is not None:
        yield _line("kill_switch", reason=facts.kill_switch or "–")
    if facts.data_late > 0:
        yield _line("stale", data_last=str(facts.data_last or "–"), late=facts.data_late)
    if not facts.traders:
        yield _line("no_trader")
    for trader in facts.traders:
        yield from _of_trader(trader)


def _of_trader(trader: TraderDay) -> Iterator[NoteLine]:
    """Why a trader did not do more than it did."""
    if trader.state is not TraderState.ACTIVE:
        yield _line("trader_state", trader=trader.name, account=trader.account, state=trader.state.value)
    for reason in trader.blocked:
        yield _line("blocked", trader=trader.name, blocked=reason.value)
    if BlockedBy.CASH_TOO_SMALL in trader.blocked and trader.cash_krw is not None:
        yield _line("cash", trader=trader.name, cash_krw=trader.cash_krw, cheapest_krw=trader.cheapest_krw)
    if trader.universe is not None:
        yield _line("looked", trader=trader.name, universe=trader.universe, matched=trader.matched, held=trader.held)
        for one in trader.conditions:
            name = "condition_unknown" if one.unknown else "condition"
            yield _line(name, words=one.words, failed=one.failed, unknown=one.unknown)
    elif trader.state in (TraderState.ACTIVE, TraderState.NO_ENTRIES):
        yield _line("undecided", trader=trader.name)
    for name in ("unfilled", "refused", "rejected"):
        for order in getattr(trader, name):
            yield _order(name, trader.name, order)


def _positions(facts: DayFacts) -> Iterator[NoteLine]:
    if facts.equity_krw is not None:
        yield _line("equity", equity_krw=facts.equity_krw, day_krw=_signed(facts.day_krw))
    for one in facts.positions:
        yield _line(
            "position",
            name=one.name,
            symbol=one.symbol,
            quantity=one.quantity,
            value_krw=one.value_krw,
            day_krw=_signed(one.day_krw),
            total_krw=_signed(one.total_krw),
        )
    if not facts.positions and facts.equity_krw is not None:
        yield _line("no_positions")


def _gaps(facts: DayFacts) -> Iterator[NoteLine]:
    for gap in facts.gaps:
        yield _line(
            "gap",
            trader=gap.name,
            total_krw=_signed(gap.total_krw),
            price_krw=_signed(gap.price_krw),
            timing_krw=_signed(gap.timing_krw),
            missed_krw=_signed(gap.missed_krw),
            cost_krw=_signed(gap.cost_krw),
        )


def _next(facts: DayFacts) -> Iterator[NoteLine]:
    if facts.next_session is None:
        yield _line("next_unknown")
        return
    yield _line("next_session", day=facts.next_session.isoformat())
    for step in facts.next_steps:
        yield _line("step", at=step.at, step=step.code)


def _order(name: str, trader: str, order: OrderLine) -> NoteLine:
    return _line(
        name,
        trader=trader,
        side=order.side,
        symbol=order.symbol,
        name=order.name,
        quantity=order.quantity,
        price_krw=order.price_krw,
        reason=order.reason or "–",
    )


def _signed(amount_krw: int | None) -> str:
    return "–" if amount_krw is None else f"{amount_krw:+,}"


def _line(line: str, /, **params: Any) -> NoteLine:
    return NoteLine(name=line, params=params)


def _line_json(line: NoteLine) -> dict[str, Any]:
    return {"name": line.name, "params": dict(line.params)}


def _json_line(document: Mapping[str, Any]) -> NoteLine:
    return NoteLine(name=document["name"], params=document["params"])
