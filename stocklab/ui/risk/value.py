"""Value at risk and expected shortfall, what they leave out, and the part of each holding."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stocklab.trading.value_at_risk import BookRisk, LevelRisk, RiskRefusal
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.positions import services, words
from stocklab.ui.text import _, language

__all__ = ["draw"]


def draw(risk: BookRisk) -> None:
    """The section."""
    st.subheader(_("Value at risk"), anchor=False)
    if risk.refusal is not None:
        if risk.refusal is RiskRefusal.NOTHING_HELD:
            st.info(_("Nothing that can be measured is held."), icon=":material/info:")
        else:
            st.info(
                _("No figure: of no holding 250 daily returns are known in the market data of the last 500 sessions."),
                icon=":material/info:",
            )
    else:
        _figures(risk)
    _left_out(risk)
    if risk.refusal is None:
        _parts(risk)


def _figures(risk: BookRisk) -> None:
    heads = [_("Level and time"), _("Historical VaR"), _("Historical CVaR"), _("Normal VaR"), _("Normal CVaR")]
    rows = []
    for level in risk.levels:
        rows.append(_row(_("{level}, one day"), level, risk))
        rows.append(_row(_("{level}, ten days"), level.ten_days(), risk))
    blocks.table(heads, rows, stacked=True)
    until = None if risk.until is None else risk.until.astype("datetime64[D]").item()
    st.caption(
        _(
            "Today's holdings over {sessions} sessions up to {day}; cash has no risk. "
            "VaR: the loss that is not exceeded in that part of the days. CVaR: the mean of the worse ones. "
            "Normal: real tails are fatter, at 99 % it is too small. "
            "Ten days: one day times the square root of ten, which supposes that days are independent."
        ).format(sessions=fmt.count(risk.n_sessions), day=fmt.day(until))
    )


def _row(label: str, level: LevelRisk, risk: BookRisk) -> Sequence[str]:
    whole = float(risk.equity_krw)
    values = (level.historical_var_krw, level.historical_cvar_krw, level.normal_var_krw, level.normal_cvar_krw)
    return [label.format(level=fmt.percent(level.level, digits=0)), *(_won(value, whole) for value in values)]


def _won(value: float, whole: float) -> str:
    share = fmt.percent(value / whole if whole > 0 else None, digits=1)
    return f"{fmt.krw(value, language())} ({share})"


def _left_out(risk: BookRisk) -> None:
    if not risk.not_covered:
        return
    st.warning(
        _("Not covered: {share} of the holdings. Nothing is supposed of them.").format(
            share=fmt.percent(risk.not_covered_share, digits=1)
        ),
        icon=":material/visibility_off:",
    )
    heads = [_("Holding"), _("Worth"), _("Share of the holdings"), _("Known returns")]
    rows = [
        [
            services.instruments().name_of(one.symbol),
            words.won(one.worth_krw),
            fmt.percent(one.share, digits=1),
            fmt.count(one.known_sessions),
        ]
        for one in risk.not_covered
    ]
    blocks.table(heads, rows, stacked=True)


def _parts(risk: BookRisk) -> None:
    level = risk.levels[0]
    st.markdown(f"**{_('Parts by holding ({level}, one day)').format(level=fmt.percent(level.level, digits=0))}**")
    heads = [_("Holding"), _("Worth"), _("Of the normal VaR"), _("Of the historical CVaR")]
    rows = [
        [
            services.instruments().name_of(part.symbol),
            words.won(part.worth_krw),
            fmt.krw(part.normal_var_krw, language()),
            fmt.krw(part.historical_cvar_krw, language()),
        ]
        for part in sorted(level.parts, key=lambda part: -part.historical_cvar_krw)
    ]
    blocks.table(heads, rows, stacked=True)
    st.caption(_("They add up to the figures above. A holding that hedges has negative parts."))
