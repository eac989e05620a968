"""The other parts of a company page: ratios, peers, dividends and events."""

from __future__ import annotations

from math import isnan
from typing import Any, Final

import numpy as np
import polars as pl
import streamlit as st

from stocklab.data.company import PEER_FACTORS, RATIOS, Profile
from stocklab.ui import blocks, catalogue, charts, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder.own_preview import value_text
from stocklab.ui.builder.sections import EXCLUSIONS
from stocklab.ui.company import lookups
from stocklab.ui.screener import columns
from stocklab.ui.text import N_, _, language

__all__ = ["peers_section", "ratios_section", "records_section"]

_EVENTS: Final = {
    "split": N_("Split"),
    "consolidation": N_("Consolidation"),
    "reduction": N_("Capital reduction"),
    "bonus": N_("Bonus issue"),
    "rights": N_("Rights issue"),
    "spin_off": N_("Spin-off"),
}
_YEAR_SESSIONS: Final = 250


def ratios_section(found: Profile) -> None:
    """Ratios now and before, and one of them over time."""
    history = lookups.ratios(found.symbol)
    known = [factor for factor in RATIOS if not np.isnan(history.values[factor]).all()]
    if not known:
        lacking = sorted({name for names in history.missing.values() for name in names})
        blocks.empty(
            _("No ratio can be computed for this symbol."),
            _("The loaded data lack what this needs: {inputs}.").format(
                inputs=", ".join(catalogue.factor_name(name) for name in lacking[:6])
            )
            if lacking
            else _("It has no company reports, or none that was public yet."),
            icon=":material/query_stats:",
        )
        return
    spoken = language()
    names = {factor: catalogue.factor_name(factor) for factor in known}
    rows = []
    for factor in known:
        values, unit = history.values[factor], catalogue.unit_of(factor)
        before = float(values[-1 - _YEAR_SESSIONS]) if len(values) > _YEAR_SESSIONS else float("nan")
        rows.append(
            [
                names[factor],
                value_text(float(values[-1]), unit, spoken),
                value_text(before, unit, spoken),
                value_text(float(np.nanmedian(values[-5 * _YEAR_SESSIONS :])), unit, spoken)
                if not np.isnan(values[-5 * _YEAR_SESSIONS :]).all()
                else fmt.DASH,
            ]
        )
    first, second = st.columns([1, 1.3], gap="medium")
    with first:
        blocks.table([_("Ratio"), _("Now"), _("A year ago"), _("Median of 5 years")], rows)
    with second:
        chosen = st.selectbox(_("Ratio over time"), known, format_func=names.__getitem__, key="company_ratio_factor")
        st.plotly_chart(lookups.ratio_figure(found.symbol, chosen), config=charts.CONFIG, key="company_ratio_chart")
        st.caption(_("As known at each close; the dotted line is the median of all days shown."))
        navigation.link(
            "factors", _("Why this value?"), icon=":material/account_tree:", factor=chosen, symbol=found.symbol
        )


def peers_section(found: Profile) -> None:
    """The largest of its sector, each a link to its page."""
    known, by_cap = lookups.peers(found.symbol)
    if not known:
        blocks.empty(
            _("The sector of this symbol is not known."),
            _("Import a sector master to compare it with its peers.") if not found.is_coin else "",
            icon=":material/factory:",
        )
        return
    frame = pl.DataFrame(
        {
            "place": [peer.place for peer in known],
            "name": [f"{peer.name or peer.symbol}{' ◀' if peer.symbol == found.symbol else ''}" for peer in known],
            "size": [peer.size_krw for peer in known],
            **{factor: [_or_none(peer.values[factor]) for peer in known] for factor in PEER_FACTORS},
            "link": [f"company?symbol={peer.symbol}" for peer in known],
        },
        schema_overrides=dict.fromkeys(PEER_FACTORS, pl.Float64),
    )
    size = columns.shown_column("market_cap" if by_cap else "tv", frame["size"])
    config: dict[str, Any] = {
        "name": st.column_config.TextColumn(_("Name"), pinned=True),
        "link": st.column_config.LinkColumn(_("Symbol"), display_text=r"symbol=(.+)$"),
        "place": st.column_config.NumberColumn(_("Place"), format="%d"),
        "size": size.config,
    }
    shown = [frame["name"], frame["link"], frame["place"], size.values.alias("size")]
    for factor in PEER_FACTORS:
        column = columns.shown_column(factor, frame[factor])
        config[factor] = column.config
        shown.append(column.values.alias(factor))
    st.dataframe(
        pl.DataFrame(shown),
        hide_index=True,
        column_config=config,
        column_order=list(config),
        height="content",
        placeholder=fmt.DASH,
        key="company_peers",
    )
    words = (
        _("The largest of {sector} on the last session by market cap.")
        if by_cap
        else _("The largest of {sector} by traded value of the last 20 sessions; market caps are not loaded.")
    )
    st.caption(words.format(sector=found.sector))


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value


def records_section(found: Profile) -> None:
    """Dividends, corporate actions and flags; what is not loaded is told from what did not happen."""
    known = lookups.records(found.symbol)
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown(f"**{_('Cash dividends')}**")
        _dividends(known.dividends)
    with second:
        st.markdown(f"**{_('Splits, bonus and rights issues')}**")
        _events(known.events)
        st.markdown(f"**{_('Flags of issues')}**")
        _flag_periods(found, known.flags)


def _dividends(rows: pl.DataFrame | None) -> None:
    if rows is None:
        st.caption(_("Dividends are not loaded."))
    elif rows.is_empty():
        st.caption(_("No dividend is recorded."))
    else:
        date_column = st.column_config.DateColumn
        config: dict[str, Any] = {
            "record_date": date_column(_("Record date"), format="YYYY-MM-DD"),
            "ex_date": date_column(_("Ex-date"), format="YYYY-MM-DD"),
            "pay_date": date_column(_("Paid on"), format="YYYY-MM-DD"),
            "krw_per_share": st.column_config.NumberColumn(_("KRW per share"), format="localized"),
        }
        st.dataframe(
            rows.select(config.keys()),
            hide_index=True,
            column_config=config,
            height="content" if rows.height <= 12 else 440,
            placeholder=fmt.DASH,
            key="company_dividends",
        )


def _events(rows: pl.DataFrame | None) -> None:
    if rows is None:
        st.caption(_("Corporate actions are not loaded; backtests read them out of base prices."))
    elif rows.is_empty():
        st.caption(_("No corporate action is recorded."))
    else:
        blocks.table(
            [_("Session"), _("Event"), _("Shares after for each before")],
            [
                [fmt.day(row["session"]), _(_EVENTS.get(row["kind"], row["kind"])), f"{row['ratio']:,.6g}"]
                for row in rows.iter_rows(named=True)
            ],
        )


def _flag_periods(found: Profile, periods: Any) -> None:
    if periods:
        blocks.table(
            [_("Flag"), _("From"), _("Released")],
            [[_(EXCLUSIONS[each.flag]), fmt.day(each.start), fmt.day(each.end)] for each in periods],
        )
    elif periods is None and not found.flags:
        st.caption(_("Periods of flags are not loaded."))
    else:
        st.caption(_("No period is recorded."))
    if found.unknown_flags and not found.is_coin:
        names = ", ".join(_(EXCLUSIONS[flag]) for flag in found.unknown_flags)
        st.caption(_("Not known on the last day: {names}.").format(names=names))
