"""The ready-made strategies on the home page: found by word, style, horizon and risk; run, read or opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from stocklab.backtest import Coverage
from stocklab.strategy import PRESETS, Preset, describe_strategy, preset_look_back
from stocklab.ui import blocks, cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.toolbar import HORIZONS, RISKS, explain_preset, load_preset, start_run
from stocklab.ui.lacks import history_note, missing_names, show_lacks, show_short_history
from stocklab.ui.text import N_, _, language

__all__ = ["STYLES", "popularity_words", "preset_cards"]

STYLES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "value": (N_("Value"), frozenset({"value", "deep value"})),
    "quality": (N_("Quality"), frozenset({"quality"})),
    "growth": (N_("Growth"), frozenset({"growth", "innovation"})),
    "dividend": (N_("Dividend"), frozenset({"dividend"})),
    "momentum": (N_("Momentum"), frozenset({"momentum", "anchoring"})),
    "trend": (N_("Trend and breakout"), frozenset({"trend", "breakout", "market timing"})),
    "reversal": (N_("Reversal"), frozenset({"reversal"})),
    "defensive": (N_("Defensive"), frozenset({"defensive", "low volatility"})),
}
"""Groups of the style filter: name, and the style tags it takes in."""

FEATURED: Final = (
    *("greenblatt_magic_formula", "piotroski_f_score", "momentum_12_1", "value_composite", "quality_gross_profit"),
    *("moving_average_cross", "dividend_large_yield", "low_volatility", "graham_defensive", "lynch_garp"),
    *("oneil_can_slim", "trend_market_filter"),
)
"""Shown first, while nothing is searched for; the rest on request."""


def preset_cards() -> None:
    """The filters and the presets that pass them."""
    covered = cached.preset_coverage()
    found = _filtered(covered)
    if not found:
        blocks.empty(
            _("No preset fits."), _("Widen the search or clear the filters."), icon=":material/filter_alt_off:"
        )
        return
    narrowed = len(found) < len(PRESETS)
    shown = found if narrowed or st.session_state.get("presets_all") else _first(covered)
    with st.grid(4, min_column_width=270, gap="small"):
        for preset in shown:
            _card(preset, covered.get(preset.id))
    if len(shown) < len(found):
        st.button(
            _("Show all {count} presets").format(count=len(found)),
            key="more_presets",
            icon=":material/expand_more:",
            on_click=_show_all,
            width="stretch",
        )
    elif narrowed:
        st.caption(_("{count} of {total} presets").format(count=len(found), total=len(PRESETS)))


def _first(covered: Mapping[str, Coverage]) -> list[Preset]:
    """As many as are featured: those the data can run first, the featured before others."""
    rest = [key for key in PRESETS if key not in FEATURED]
    ordered = sorted((*FEATURED, *rest), key=lambda key: key in covered and not covered[key].can_buy)
    return [PRESETS[key] for key in ordered[: len(FEATURED)]]


def _show_all() -> None:
    st.session_state["presets_all"] = True


def _filtered(covered: Mapping[str, Coverage]) -> list[Preset]:
    """Presets that pass the filters, in the order of their names."""
    styles = {key: _(name) for key, (name, _tags) in STYLES.items()}
    style = st.pills(_("Style"), list(styles), format_func=styles.__getitem__, key="preset_style")
    with st.grid(3, min_column_width=150, gap="small"):
        words = st.text_input(
            _("Search"), key="preset_search", placeholder=_("Name, person or idea"), icon=":material/search:"
        )
        horizon = _choice(_("Horizon"), HORIZONS, "preset_horizon")
        risk = _choice(_("Risk"), RISKS, "preset_risk")
    ready = False
    if any(not found.can_buy for found in covered.values()):
        ready = st.toggle(_("Only what the loaded data can run"), key="preset_ready")
    return [
        preset
        for preset in PRESETS.values()
        if (style is None or STYLES[style][1] & set(preset.tags.style))
        and horizon in (None, preset.tags.horizon)
        and risk in (None, preset.tags.risk)
        and all(word in _haystack(preset) for word in words.lower().split())
        and not (ready and not covered[preset.id].can_buy)
    ]


def _choice(name: str, words: Mapping[str, str], key: str) -> str | None:
    names = {value: _(word) for value, word in words.items()}
    return st.selectbox(name, list(names), index=None, format_func=names.__getitem__, key=key, placeholder=_("All"))


def _haystack(preset: Preset) -> str:
    parts = [preset.id, preset.name_ko, preset.name_en, preset.source, *preset.tags.style]
    return " ".join((*parts, preset.words_ko.what, preset.words_en.what)).lower()


def _card(preset: Preset, found: Coverage | None) -> None:
    """One preset: what it does, whether the data can run it, and three ways on."""
    spoken = language()
    ready = found is None or found.can_buy
    tags = preset.tags
    marks = [_(HORIZONS[tags.horizon])] if tags.horizon else []
    marks += [_(RISKS[tags.risk])] if tags.risk else []
    marks += popularity_words(preset.id)
    lines = [f"**{escape(preset.name(spoken))}**", f":small[:gray[{' · '.join(marks)}]]"]
    if found is not None and found.missing:
        names = missing_names(found.missing, most=3)
        lacking = escape(_("Not in the data: {names}").format(names=names))
        lines.append(f":small[:orange[:material/database_off: {lacking}]]")
    short = history_note(preset_look_back(preset.id), coins=preset.strategy.universe.of_coins)
    if short:
        lines.append(f":small[:orange[:material/history: {escape(short)}]]")
    lines.append(escape(preset.words(spoken).what))
    with st.container(border=True, key=f"preset_{preset.id}", height="stretch"):
        st.markdown("\n\n".join(lines))
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom", height="stretch"):
            told = None if ready or found is None else _("Needs {names}").format(names=missing_names(found.missing))
            if st.button(_("Run"), key=f"run_{preset.id}", icon=":material/play_arrow:", disabled=not ready, help=told):
                load_preset(preset.id)
                start_run()
            if st.button(_("Rules"), key=f"rules_{preset.id}", type="tertiary"):
                st.dialog(preset.name(spoken), width="large")(_details)(preset, found)
            if st.button(_("Look inside"), key=f"open_{preset.id}", type="tertiary"):
                load_preset(preset.id)
                navigation.go("builder")


def popularity_words(preset_id: str) -> list[str]:
    """How many people ran a preset, in words; nothing while it is nobody."""
    people = cached.preset_popularity().get(preset_id, 0)
    return [_("run by {count}").format(count=fmt.count(people))] if people else []


def _details(preset: Preset, found: Coverage | None) -> None:
    """The rules exactly as they run, then why, when it fails, and how it differs from what was published."""
    if found is not None:
        show_lacks(found)
    show_short_history(preset.strategy)
    st.markdown(f"**{_('The rules that run')}**")
    st.markdown("\n".join(f"- {escape(line)}" for line in describe_strategy(preset.strategy, language())))
    explain_preset(preset)
