"""Lists of finished runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from stocklab.market.panel import PriceBasis
from stocklab.portfolios import RunView
from stocklab.ui import format as fmt
from stocklab.ui import navigation
from stocklab.ui.result import trusted
from stocklab.ui.text import _

__all__ = ["runs_table"]


def runs_table(runs: Sequence[RunView], *, key: str) -> None:
    """Runs as a table; choosing a row opens it."""
    rows = [
        {
            "name": run.name,
            "total_return": _percent(run, "total_return"),
            "cagr": _percent(run, "cagr"),
            "max_drawdown": _percent(run, "max_drawdown"),
            "sharpe": run.metrics.get("sharpe"),
            "range": f"{run.start} – {run.end}",
            "basis": _basis(run),
            "look_ahead": _look_ahead(run.run_id),
            "created": run.created_at,
        }
        for run in runs
    ]
    chosen = st.dataframe(
        rows,
        hide_index=True,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(rows) <= 12 else 460,
        placeholder=fmt.DASH,
        column_config={
            "name": st.column_config.TextColumn(_("Strategy"), width="medium"),
            "total_return": st.column_config.NumberColumn(_("Total return"), format="%.1f%%"),
            "cagr": st.column_config.NumberColumn(_("CAGR"), format="%.1f%%"),
            "max_drawdown": st.column_config.NumberColumn(_("Maximum drawdown"), format="%.1f%%"),
            "sharpe": st.column_config.NumberColumn(_("Sharpe"), format="%.2f"),
            "range": st.column_config.TextColumn(_("Range")),
            "basis": st.column_config.TextColumn(_("Prices")),
            "look_ahead": st.column_config.TextColumn(
                _("Look-ahead"), help=_("Whether a result uses what nobody could know yet; empty: not checked yet.")
            ),
            "created": st.column_config.DatetimeColumn(_("Made"), format="YYYY-MM-DD HH:mm", timezone="Asia/Seoul"),
        },
    )
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < len(runs):
        navigation.go("results", run=runs[picked[0]].run_id)


def _look_ahead(run_id: str) -> str | None:
    found = trusted.known_look_ahead(run_id)
    if found is None or found.identical is None:
        return None
    return _("No look-ahead") if found.identical else _("Look-ahead found")


def _percent(run: RunView, name: str) -> float | None:
    value = run.metrics.get(name)
    return None if value is None else 100.0 * value


def _basis(run: RunView) -> str:
    names = {
        PriceBasis.RAW: _("Raw prices"),
        PriceBasis.ADJUSTED: _("Adjusted prices"),
        PriceBasis.COIN: _("Coins (Upbit)"),
    }
    name = names[run.price_basis]
    return f"{name} · {_('demo')}" if run.synthetic else name
