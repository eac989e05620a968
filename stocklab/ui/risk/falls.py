"""Falls of the past, each sector falling alone, and a limit-down day: what they do to the book in won."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stocklab.live.book_risk import BookFigures
from stocklab.trading.stress import StressLoss
from stocklab.trading.stress_scenarios import SCENARIOS
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.positions import services
from stocklab.ui.risk import words
from stocklab.ui.text import _, language

__all__ = ["draw"]


def draw(found: BookFigures) -> None:
    """The section."""
    st.subheader(_("Falls of the past"), anchor=False)
    days = {one.scenario_id: f"{fmt.day(one.start)} – {fmt.day(one.end)}" for one in SCENARIOS}
    heads = [
        _("Scenario"),
        _("From close to close"),
        _("Effect"),
        _("Of the equity"),
        _("Measured by"),
        _("Not covered"),
    ]
    rows = [
        [_(words.SCENARIO_NAMES[one.name]), days[one.name], *_effect(one), _bases(one), _missing(one)]
        for one in found.scenarios
    ]
    blocks.table(heads, rows, stacked=True)
    st.caption(
        _(
            "Replayed: the holding's own returns of those days. Otherwise its index's fall times its beta, or the fall "
            "itself where too little is known; over months that is a rough guide. Approximate: measured in dollars."
        )
    )
    st.subheader(_("Simple shocks"), anchor=False)
    shocks = [
        [
            _("Sector {sector} falls by 20%").format(sector=one.name)
            if one.name
            else _("Holdings of unknown sector fall by 20%"),
            *_effect(one),
        ]
        for one in found.sectors
    ]
    if found.limit_down is not None:
        name = services.instruments().name_of(found.limit_down.name)
        shocks.insert(0, [_("{name} closes at its lower limit").format(name=name), *_effect(found.limit_down)])
    blocks.table([_("Shock"), _("Effect"), _("Of the equity")], shocks, stacked=True)
    if found.limit_down is None:
        st.caption(_("Nothing held has a price limit, so that there is no limit-down day."))


def _effect(one: StressLoss) -> Sequence[str]:
    if not one.effects:
        return [fmt.DASH, fmt.DASH]
    return [fmt.krw(one.total_krw, language(), signed=True), fmt.percent(one.share, digits=1, signed=True)]


def _bases(one: StressLoss) -> str:
    found = [_(words.BASES[basis]) for basis in words.BASES if any(effect.basis is basis for effect in one.effects)]
    if any(effect.approximate for effect in one.effects):
        found.append(_("approximate"))
    return ", ".join(found)


def _missing(one: StressLoss) -> str:
    return ", ".join(services.instruments().name_of(symbol) for symbol in one.not_covered)
