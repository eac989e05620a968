"""What the numbers of a strategy are called on the page of sweeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.backtest import METRICS
from stocklab.strategy import Strategy
from stocklab.strategy.numbers import Number, numbers_of
from stocklab.ui.text import N_, _, pick

__all__ = ["FIELDS", "PERCENT", "is_percent", "metric_name", "number_names", "offered", "value_text"]

FIELDS: Final[Mapping[str, str]] = {
    "sizing.max_holdings": N_("Holdings at most"),
    "exit.stop.level": N_("Stop loss (%)"),
    "exit.target.level": N_("Take profit (%)"),
    "exit.trailing.level": N_("Trailing stop (%)"),
    "exit.max_holding": N_("Held at most"),
    "exit.min_holding": N_("Held at least"),
    "exit.rank_below": N_("Sell when the rank falls"),
    "exit.reentry_wait_sessions": N_("Wait before buying again (sessions)"),
    "ranking.count": N_("Candidates admitted"),
    "universe.min_trading_value_krw": N_("Traded value at least"),
    "universe.min_price_krw": N_("Price at least"),
    "universe.min_listed_sessions": N_("Listed at least (sessions)"),
    "universe.top.count": N_("Only the largest"),
    "universe.top.skip": N_("Leaving out this many of the largest"),
    "sizing.weight": N_("Weight each (%)"),
    "sizing.amount_krw": N_("Amount each"),
    "sizing.volatility_sessions": N_("Volatility over (sessions)"),
    "sizing.max_weight": N_("One position at most (%)"),
    "sizing.max_sector_weight": N_("One sector at most (%)"),
    "sizing.max_position_krw": N_("Cap one position in won"),
    "sizing.max_new_per_session": N_("New positions at most"),
    "sizing.cash_buffer": N_("Cash kept aside (%)"),
    "execution.limit_offset": N_("Limit offset (%)"),
    "execution.participation": N_("Share of the day's volume at most (%)"),
    "execution.carry_unfilled_sessions": N_("Unfilled rest stays alive (sessions)"),
    "rebalancing.day_shift": N_("Sessions after the first of the period"),
    "rebalancing.drift_band": N_("Leave weights this near (%)"),
    "costs.commission_rate": N_("Commission each side (%)"),
    "costs.slippage_rate": N_("Slippage each side (%)"),
    "costs.tax": N_("Tax on sales (%)"),
}
"""Settings outside of formulas, in the order they are offered."""

PERCENT: Final = frozenset(
    {
        *("exit.stop.level", "exit.target.level", "exit.trailing.level", "sizing.weight", "sizing.max_weight"),
        *("sizing.max_sector_weight", "sizing.cash_buffer", "execution.limit_offset", "execution.participation"),
        *("rebalancing.drift_band", "costs.commission_rate", "costs.slippage_rate", "costs.tax"),
    }
)
"""Stored as fractions, entered and shown in percent, as in the builder."""


def offered(strategy: Strategy) -> list[Number]:
    """Numbers a person would vary: those of formulas first, then settings that hold."""
    found = {number.path: number for number in numbers_of(strategy)}
    formulas = [number for number in found.values() if number.formula]
    settings = [found[path] for path in FIELDS if path in found and found[path].value is not None]
    weights = [number for path, number in found.items() if path.endswith(".weight") and path.startswith("ranking")]
    return [*formulas, *settings, *(weights if len(weights) > 1 else [])]


def number_names(strategy: Strategy) -> dict[str, str]:
    """Name of every number of a strategy by its path."""
    return {number.path: _name(number) for number in numbers_of(strategy)}


def is_percent(path: str) -> bool:
    """Whether a number is shown in percent."""
    return path in PERCENT


def value_text(path: str, value: float) -> str:
    """A value of a number as a person reads it."""
    return f"{round(100 * value, 6):g}%" if is_percent(path) else f"{value:,.10g}"


def metric_name(key: str) -> str:
    """Name of a figure in the user's language."""
    info = METRICS[key]
    return pick(info.name_ko, info.name_en)


def _name(number: Number) -> str:
    if number.formula:
        return f"{_section(number.path)}: {_marked(number)}"
    if number.path in FIELDS:
        return _(FIELDS[number.path])
    if number.path.endswith(".weight"):
        return _("Weight of ranking part {place}").format(place=int(number.path.split(".")[2]) + 1)
    return number.path


def _section(path: str) -> str:
    parts = path.split(".")
    match parts[0]:
        case "entry":
            return _("Buy {letter}").format(letter=parts[2])
        case "exit":
            return _("Sell {letter}").format(letter=parts[2])
        case "ranking":
            return _("Ranking {place}").format(place=int(parts[2]) + 1)
        case "factors":
            return _("Factor {name}").format(name=parts[1])
        case _:
            return _("Market filter")


def _marked(number: Number) -> str:
    """The formula with the number in brackets; of a long one the part around it."""
    text, begin = number.formula, number.position
    end = begin + number.length
    inside = text[begin:end]
    digits = f"{number.value:g}"
    if inside != digits and f"_{digits}" in inside:  # the window in a factor's name
        begin += inside.index(f"_{digits}") + 1
        end = begin + len(digits)
    before, after = text[:begin], text[end:]
    before = before if len(before) <= 24 else "…" + before[-22:]
    after = after if len(after) <= 24 else after[:22] + "…"
    return f"{before}[{text[begin:end]}]{after}"
