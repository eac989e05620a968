"""Names of parts, states and jobs, and how sizes and spans are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from stocklab.operations import ComponentState
from stocklab.ui import format as fmt
from stocklab.ui.text import N_, _

__all__ = [
    "CACHES",
    "COMPONENTS",
    "HOME_PARTS",
    "JOBS",
    "JOB_KINDS",
    "RUN_STATES",
    "STATES",
    "STATE_CLASSES",
    "WELL",
    "ago",
    "size",
    "span",
]

COMPONENTS: Final[Mapping[str, str]] = {
    "ui": N_("Web pages"),
    "scheduler": N_("Scheduler"),
    "database": N_("App database"),
    "store": N_("Market store"),
    "krx_openapi": N_("KRX Open API"),
    "datagokr": N_("Public data portal"),
    "opendart": N_("OpenDART"),
    "upbit": N_("Upbit"),
    "pykrx": N_("KRX market data (pykrx)"),
    "naver_hub": N_("Naver news (API HUB)"),
    "naver_legacy": N_("Naver news (Developers)"),
    "disk": N_("Disk"),
}
STATES: Final[Mapping[ComponentState, str]] = {
    ComponentState.WORKING: N_("Working"),
    ComponentState.STANDBY: N_("Standing by"),
    ComponentState.IDLE: N_("Not used yet"),
    ComponentState.EMPTY: N_("Empty"),
    ComponentState.OFF: N_("Off"),
    ComponentState.LOW: N_("Nearly full"),
    ComponentState.BLOCKED: N_("Paused"),
    ComponentState.ABSENT: N_("Not running"),
    ComponentState.FAILED: N_("Failed"),
}
STATE_CLASSES: Final[Mapping[ComponentState, str]] = {
    ComponentState.WORKING: "good",
    ComponentState.STANDBY: "wait",
    ComponentState.IDLE: "off",
    ComponentState.EMPTY: "off",
    ComponentState.OFF: "off",
    ComponentState.LOW: "wait",
    ComponentState.BLOCKED: "wait",
    ComponentState.ABSENT: "bad",
    ComponentState.FAILED: "bad",
}
WELL: Final = frozenset({ComponentState.WORKING, ComponentState.IDLE, ComponentState.EMPTY, ComponentState.OFF})
"""States that need nobody's attention."""

JOBS: Final[Mapping[str, str]] = {
    "disclosures": N_("Read the filings of the day"),
    "disclosures_morning": N_("Read the filings since the evening"),
    "sync": N_("Fetch the day's data after the close"),
    "sync_morning": N_("Fetch what appears the next morning"),
    "quality": N_("Check the newest data"),
    "publications": N_("Mark published strategies to the last session"),
    "alert_rules": N_("Judge the rules of alerts by the close"),
    "alert_rules_morning": N_("Judge the rules of alerts in the morning"),
    "alert_filings": N_("Judge the rules of alerts by the day's filings"),
    "alert_filings_morning": N_("Judge the rules of alerts by the evening's filings"),
    "daily_notes": N_("Write the day's note for those who trade on live prices"),
    "daily_notes_evening": N_("Write the day's note of paper accounts"),
    "warm_factors": N_("Compute factors of saved strategies ahead"),
    "presets": N_("Run the presets ahead"),
    "backup": N_("Back up"),
    "collect_garbage": N_("Remove what is no longer needed"),
}
RUN_STATES: Final[Mapping[str, str]] = {
    "running": N_("Running"),
    "done": N_("Done"),
    "failed": N_("Failed"),
    "missed": N_("Missed"),
    "skipped": N_("Skipped"),
}
JOB_KINDS: Final[Mapping[str, str]] = {
    "backtest": N_("Backtest"),
    "sweep": N_("Sweep"),
    "proof": N_("Look-ahead check"),
}
HOME_PARTS: Final[Mapping[str, str]] = {
    "market": N_("Market store"),
    "results": N_("Stored results"),
    "sweeps": N_("Stored sweeps"),
    "proofs": N_("Look-ahead checks"),
    "cache": N_("Caches on disk"),
    "backups": N_("Backups"),
    "logs": N_("Log files"),
    "database": N_("App database"),
    "secrets": N_("Secrets"),
    "other": N_("Other files"),
}
CACHES: Final[Mapping[str, str]] = {
    "status": N_("State of the data"),
    "instruments": N_("Symbols as orders see them"),
    "book_risk": N_("Risk of books"),
    "panel_words": N_("Names and sectors"),
    "names": N_("Names of all symbols"),
    "groups": N_("Members of indices, themes and sectors"),
    "held_sessions": N_("Length of the history"),
    "preset_coverage": N_("What presets lack"),
    "preset_popularity": N_("How many ran each preset"),
    "factor_statuses": N_("Which factors have values"),
    "factor_reports": N_("Reports on factors"),
    "factor_rows": N_("Factor values of one day"),
    "factor_figures": N_("Figures of factors"),
    "factor_explanations": N_("Explained factor values"),
    "factor_values": N_("Factor values on disk"),
    "default_symbol": N_("Largest stock"),
    "panels": N_("Opened panels"),
    "results": N_("Opened results"),
    "summaries": N_("Tables of results"),
    "comparisons": N_("Compared results"),
    "capacities": N_("Other capital and slippage"),
    "figures": N_("Figures of results"),
    "index_figures": N_("Figure of the indices"),
    "stock_figures": N_("Figures of stocks"),
    "candle_figures": N_("Candle charts"),
    "matches": N_("Counts of matches"),
    "screens": N_("Screens"),
    "first_purchases": N_("Previews of first purchases"),
    "run_views": N_("Runs opened for questions"),
    "explanations": N_("Explained decisions"),
    "run_symbols": N_("Stocks of a run"),
    "sweeps": N_("Judged sweeps"),
    "look_ahead": N_("Look-ahead checks"),
    "survivors": N_("Runs without delisted names"),
    "reruns": N_("Runs done again"),
    "home_use": N_("Sizes on disk"),
    "previews": N_("Previews of own factors"),
    "company_names": N_("Names in the company picker"),
    "largest_companies": N_("Largest companies"),
    "company_profiles": N_("Companies"),
    "price_histories": N_("Prices of companies"),
    "price_figures": N_("Charts of companies"),
    "ratio_histories": N_("Ratios of companies"),
    "ratio_figures": N_("Figures of ratios"),
    "company_peers": N_("Peers of companies"),
    "company_reports": N_("Reports of companies"),
    "company_records": N_("Dividends and events of companies"),
    "data_coverage": N_("Coverage of the data"),
    "data_coverage_figure": N_("Figure of the coverage"),
    "data_standing": N_("Whose prices stand"),
    "data_differences": N_("Values on which sources differ"),
    "data_report": N_("Quality reports"),
    "data_names": N_("Names on the data page"),
    "data_scores": N_("Quality scores"),
}


def size(number: float) -> str:
    """Bytes, to three digits.

    >>> size(0), size(1_234_000), size(45_600_000_000)
    ('0 kB', '1.23 MB', '45.6 GB')
    """
    for unit, divisor in (("TB", 1e12), ("GB", 1e9)):
        if number >= divisor:
            return f"{number / divisor:.3g} {unit}"
    return f"{number / 1e6:.3g} MB" if number >= 1e6 else f"{number / 1e3:.3g} kB"


def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    if seconds < 90:
        return _("{n} sec").format(n=round(seconds))
    if seconds < 90 * 60:
        return _("{n} min").format(n=round(seconds / 60))
    if seconds < 48 * 3600:
        return _("{n} h").format(n=round(seconds / 3600))
    return _("{n} d").format(n=round(seconds / 86400))


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago; a dash where it never was."""
    if moment is None:
        return fmt.DASH
    seconds = (now - moment).total_seconds()
    return _("just now") if seconds < 5 else _("{span} ago").format(span=span(seconds))
