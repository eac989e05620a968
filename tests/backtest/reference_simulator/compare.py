"""Engine and reference on one case: where they first differ, and what the case reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reference_simulator.cases import Case
from reference_simulator.clock import Walk, walk
from reference_simulator.tables import Rows, tables
from stocklab.market.panel import Panel

Engine = Callable[[Panel, Case], Mapping[str, Any]]
"""A panel and a case -> frames by table name."""


class Disagreement(AssertionError):
    """The first differing row of every table that differs, and the case."""


def reference(panel: Panel, case: Case) -> Walk:
    """The reference's walk over a case."""
    start, end = (panel.sessions[place].item() for place in (case.start, case.stop))
    return walk(panel, case.strategy(), start, end, case.cash)


def require_agreement(case: Case, engine: Engine) -> Counter[tuple[str, str]]:
    """Compare orders, trades, ledger, positions and daily book, row by row.

    Returns
    -------
    what the case reached, as `reached`

    Raises
    ------
    Disagreement
        A row differs.
    """
    panel = case.panel()
    found = engine(panel, case)
    expected = reference(panel, case)
    unit = expected.bars.unit
    words = [
        text
        for name, rows in tables(expected).items()
        if (text := _difference(name, _in_units(found[name].rows(), unit), rows))
    ]
    if words:
        raise Disagreement("\n".join(["", *words, f"case: {case}"]))
    return reached(expected)


def _in_units(rows: Rows, unit: int) -> Rows:
    """Rows of the engine with its decimals as whole units; a digit beyond them would stay, and differ."""
    return [tuple(_counted(cell * unit) if isinstance(cell, Decimal) else cell for cell in row) for row in rows]


def _counted(units: Decimal) -> int | Decimal:
    return int(units) if units == int(units) else units


def _difference(name: str, found: Rows, expected: Rows) -> str:
    if found == expected:
        return ""
    pairs = zip(found, expected, strict=False)
    place = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(found), len(expected)))

    def row(rows: Rows) -> str:
        return " | ".join("-" if cell is None else str(cell) for cell in rows[place]) if place < len(rows) else "(none)"

    return f"{name}, row {place}:\n  engine     {row(found)}\n  reference  {row(expected)}"


def reached(done: Walk) -> Counter[tuple[str, str]]:
    """Counts of (what, which): order endings, trade causes, ledger kinds, events, modes, markets, options."""
    counts: Counter[tuple[str, str]] = Counter()
    for order in done.book.orders:
        counts["order", f"{order.side} {order.status} {order.reason}".strip()] += 1
        if order.side == "buy" and order.session > order.decided + 1:
            counts["event", "purchase carried to a later session"] += 1
        if order.is_stop and order.session > order.decided + 1:
            counts["event", "stop carried to a later open"] += 1
    fills: Counter[int] = Counter()
    for record in done.book.records:
        if hasattr(record, "order"):
            fills[record.order] += 1
            counts["trade", f"{record.side} {record.cause}"] += 1
            counts["market", record.market] += 1
            if record.slippage:
                counts["event", f"slippage booked on a {record.side}"] += 1
    counts["event", "order filled over several sessions"] += sum(number > 1 for number in fills.values())
    for name, rows in tables(done).items():
        counts["rows", name] += len(rows)
        if name == "ledger":
            counts.update(("ledger", row[1]) for row in rows)
    counts.update(done.book.noted)
    for path, value in _options(done.strategy.model_dump(mode="json")):
        counts["option", f"{path}={value}"] += 1
    return counts


def _options(parts: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Choices of the document: words, switches, and whether something is set at all."""
    found: list[tuple[str, str]] = []
    for key, value in parts.items():
        here = f"{path}{key}"
        if isinstance(value, dict):
            found += [(here, "set"), *_options(value, f"{here}.")]
        elif isinstance(value, bool) or value is None:
            found.append((here, str(value)))
        elif isinstance(value, str):
            found += [(here, value)] if key not in ("name", "formula", "logic", "description") else []
        elif isinstance(value, list):
            found.append((here, "some" if value else "none"))
            found += [pair for item in value if isinstance(item, dict) for pair in _options(item, f"{here}.")]
    return found
