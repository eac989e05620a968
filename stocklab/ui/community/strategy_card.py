"""The strategy a post shows: its figures when it was posted beside those of today."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from stocklab.community import LiveCard
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.text import N_, _

__all__ = ["strategy_card"]

_FIGURES: Final[Mapping[str, str]] = {
    "total_return": N_("Total return"),
    "cagr": N_("CAGR"),
    "max_drawdown": N_("Max drawdown"),
    "sharpe": N_("Sharpe ratio"),
    "volatility": N_("Volatility"),
}


def strategy_card(card: Mapping[str, Any], live: LiveCard | None) -> None:
    """Frozen and live, side by side."""
    with st.container(border=True, key="post_strategy"):
        name = live.name if live is not None else str(card.get("name", ""))
        st.html(f'<div class="lab-card-name">{html.escape(name)}</div>')
        if live is not None and live.is_withdrawn:
            st.caption(_("Its author withdrew it. The figures below are those of the day of the post."))
        frozen = card.get("metrics", {})
        rows = [[_("Likes"), fmt.count(card.get("likes")), fmt.count(live.likes if live else None)]]
        for code, label in _FIGURES.items():
            if code in frozen:
                now = live.metrics.get(code) if live is not None else None
                rows.append([_(label), _figure(code, frozen[code]), _figure(code, now)])
        if live is not None:
            rows.append([_("Return since publication"), fmt.DASH, fmt.percent(live.return_since, signed=True)])
        blocks.table([_("Figure"), _("When posted"), _("Now")], rows)
        first, last = card.get("run_start"), card.get("run_end")
        if first and last:
            st.caption(
                _("Backtest {span}. A backtest is no promise.").format(span=f"{fmt.day(first)} – {fmt.day(last)}")
            )


def _figure(code: str, value: Any) -> str:
    number = float(value) if isinstance(value, int | float) else None
    return fmt.decimal(number) if code == "sharpe" else fmt.percent(number)
