"""Answers about a result in plain English, for the command line."""

from __future__ import annotations

from typing import Any, Final

from stocklab.backtest import METRICS
from stocklab.research.look_ahead import LookAhead
from stocklab.research.rerun import Rerun
from stocklab.research.survivorship import FIGURES, Survivorship

__all__ = ["describe_look_ahead", "describe_rerun", "describe_survivorship"]

_SHOWN: Final = 12


def describe_look_ahead(found: LookAhead) -> list[str]:
    """The verdict, the sessions, and the first differences."""
    if found.identical is None:
        return ["Not checked: the run has a single session, so that nothing can be cut off after it."]
    sessions = ", ".join(str(session) for session in found.sessions)
    at = f"Cut off after {len(found.sessions)} sessions: {sessions}."
    if found.identical:
        return [
            f"No look-ahead: every decision is identical without the future ({found.decided:,} orders decided by the "
            f"last cut, {found.decided_there:,} of them at the cuts themselves).",
            at,
        ]
    lines = [f"LOOK-AHEAD: {found.n_differences:,} differences without the future.", at]
    if found.hindsight:
        lines.insert(
            1, "The strategy reads company reports as corrected later (restated), which is hindsight by choice."
        )
    lines += [
        f"  cut {each.cut}: {each.part} of {each.session}{f' {each.symbol}' if each.symbol else ''}: "
        f"{each.run} in the run; {each.replay} without the future"
        for each in found.differences[:_SHOWN]
    ]
    if len(found.differences) > _SHOWN:
        lines.append(f"  ... --json lists {len(found.differences) - _SHOWN} more")
    return lines


def describe_survivorship(found: Survivorship) -> list[str]:
    """Both runs side by side, the gap, and how far the data hold the names that are gone."""
    lines = [f"{'':<22}{'all names':>14}{'survivors':>14}{'gap':>14}"]
    for figure in FIGURES:
        values = (found.run[figure], found.survivors[figure], found.gap(figure))
        cells = "".join(f"{_words(figure, value, gap=place == 2):>14}" for place, value in enumerate(values))
        lines.append(f"{METRICS[figure].name_en:<22}{cells}")
    lines.append(
        f"Names gone by the last session: {found.delisted:,} delisted, {found.ended:,} whose series ends early. "
        f"{found.in_universe:,} of them were in the universe, {found.traded:,} were bought."
    )
    lines.append(_coverage(found))
    lines.append(f"Runs: {found.run_id} and {found.survivors_id}")
    return lines


def _coverage(found: Survivorship) -> str:
    if found.known is None:
        return "Warning: no list of delistings is loaded, so that nobody can say how many names are missing."
    there = found.delisted + found.ended
    count = f"Delistings known for these sessions: {found.known:,}; names gone in the data: {there:,}."
    if found.few:
        return f"Warning: few delisted names in the data. {count} The true gap may be larger than the one shown."
    return count


def describe_rerun(found: Rerun) -> list[str]:
    """Identical, or what changed and what it did."""
    if found.identical:
        how = "byte for byte" if found.same_bytes else "row for row (the files were written by another library version)"
        return [f"Identical: {found.run_id} computed again, {how}."]
    if found.now_id is None:
        lines = [f"{found.run_id} cannot be run again: {found.refused}"]
    elif not found.changes:
        lines = [f"DIFFERENT: the same data, rules and code gave another result for {found.run_id}."]
    else:
        outcome = "the same figures and tables" if found.same_outcome else "another result"
        lines = [f"Changed: {found.run_id} is {found.now_id} today, with {outcome}."]
    lines += [
        f"  {change.kind:<6} {change.what}: {change.before or '-'} -> {change.now or '-'}" for change in found.changes
    ]
    for move in found.figures:
        if move.figure in METRICS:
            before, now = (_words(move.figure, value) for value in (move.before, move.now))
            lines.append(f"  figure {move.figure}: {before} -> {now}")
        elif not found.changes:
            lines.append(f"  card   {move.figure}: another")
    lines += [
        f"  table  {move.table}: {move.rows_before:,} -> {move.rows_now:,} rows"
        f"{f', first difference on {move.first}' if move.first else ''}"
        for move in found.tables
    ]
    return lines


def _words(figure: str, value: Any, *, gap: bool = False) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "-" if value is None else str(value)
    sign = "+" if gap else ""
    if METRICS[figure].unit == "fraction":
        return f"{100 * value:{sign}.2f} {'pp' if gap else '%'}"
    return f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign},.2f}"
