"""Work done at start so that the first visitor does not wait for it."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

from stocklab.backtest import RunRequest, simulate
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel
from stocklab.portfolios import Lab
from stocklab.strategy import PRESETS

__all__ = ["load_heavy_modules", "warm_kernels"]

# Imported by the first page run otherwise; by name, as this layer draws nothing itself.
_HEAVY = (
    "pandas",
    "plotly.graph_objects",
    "plotly.io",
    "stocklab.ui.frame",
    # These keep values: their caches are counted from the start.
    "stocklab.ui.builder.own_preview",
    "stocklab.ui.company.lookups",
    "stocklab.ui.data.lookups",
    "stocklab.ui.factors.lookups",
    "stocklab.ui.positions.services",
    "stocklab.ui.result.lookups",
    "stocklab.ui.result.trusted",
    "stocklab.ui.risk.services",
    "stocklab.ui.sweeps.result",
    "stocklab.ui.system.process",
    "stocklab.ui.trading.services",
)
_WARM_SESSIONS = 300
_WARM_PRESET = "bollinger_reversion"  # reads prices alone: every home with data can run it


def load_heavy_modules() -> None:
    """Import what every page run needs."""
    for name in _HEAVY:
        if find_spec(name) is not None:
            import_module(name)


def warm_kernels(lab: Lab) -> bool:
    """Run a preset over the newest sessions, so that the compiled code is loaded; False when the home has no data."""
    if lab.store.current() is None:
        return False
    panel = newest(lab.panel(), _WARM_SESSIONS)
    strategy = PRESETS[_WARM_PRESET].strategy
    first, last = panel.sessions[-min(20, panel.n_sessions)], panel.sessions[-1]
    request = RunRequest(
        strategy=strategy, start=first.item(), end=last.item(), initial_cash_krw=strategy.allocation.initial_cash_krw
    )
    simulate(panel, request, DirectSource(panel, threads=1))
    return True


def newest(panel: Panel, n_sessions: int) -> Panel:
    """The last sessions of a panel as a panel, without copying."""
    return replace(
        panel,
        sessions=panel.sessions[-n_sessions:],
        fields={name: values[-n_sessions:] for name, values in panel.fields.items()},
        series={name: values[-n_sessions:] for name, values in panel.series.items()},
        indices={name: values[-n_sessions:] for name, values in panel.indices.items()},
        rf=panel.rf[-n_sessions:],
        entitlements=panel.entitlements.between(max(panel.n_sessions - n_sessions, 0), panel.n_sessions),
        key=f"{panel.key}-newest-{n_sessions}",
    )
