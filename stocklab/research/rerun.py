"""Run a stored result again, on today's data, rules and code: identical, or what changed.

Where all inputs are the same, the run is computed anew past every cache and compared file by file. Where they are not,
the run of today is made and the inputs that changed are listed, with what they did to the figures.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

import stocklab
from stocklab.backtest import ENGINE_VERSION, METRICS, TABLE_SCHEMAS, Result, RunRequest, ShouldCancel, run_id, simulate
from stocklab.backtest.code_stamp import code_stamp
from stocklab.data.changed_rows import changed_rows
from stocklab.data.engine import run_on_panel
from stocklab.data.panel_build import dataset_of
from stocklab.data.panel_open import open_panel
from stocklab.data.results import ResultStore, write_result
from stocklab.data.snapshot import Snapshot
from stocklab.data.store import Store
from stocklab.errors import DataError, DocumentError, InputError, StockLabError, StoreError
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel, PriceBasis
from stocklab.research.stored_run import basis_of, request_of

__all__ = ["Change", "FigureMove", "Rerun", "TableMove", "differing_fields", "rerun"]

Kind = Literal["data", "rules", "code"]
_LISTED: Final = 40
"""Fields of a document listed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An input that is another than it was. ``what`` is a stable name, such as ``snapshot_id``, ``prices_raw.rows`` or
    ``strategy.exit.stop.level``; ``before`` and ``now`` are "" where there was, or is, none.
    """

    kind: Kind
    what: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureMove:
    """A figure that is another than it was."""

    figure: str
    before: Any
    now: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMove:
    """A table that is another: rows before and now, and the session of the first row that differs ("" without one)."""

    table: str
    rows_before: int
    rows_now: int
    first: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """How a stored result stands today.

    Attributes
    ----------
    run_id, now_id : of the stored result, and of today's run; None where it cannot be run any more
    changes : inputs that changed; empty where the ids are the same
    figures, tables : outcomes that are another
    same_bytes : whether the files are the same to the byte; None where the inputs changed
    refused : why it cannot be run today; "" where it can
    """

    run_id: str
    now_id: str | None
    changes: tuple[Change, ...]
    figures: tuple[FigureMove, ...]
    tables: tuple[TableMove, ...]
    same_bytes: bool | None
    refused: str = ""

    @property
    def same_outcome(self) -> bool:
        """Whether every figure and every table is what it was."""
        return self.now_id is not None and not self.figures and not self.tables

    @property
    def identical(self) -> bool:
        """Whether the same inputs gave the same outcome."""
        return self.same_outcome and not self.changes and self.now_id == self.run_id

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"identical": self.identical, "same_outcome": self.same_outcome, **asdict(self)}


def rerun(
    store: Store,
    results: ResultStore,
    identity: str,
    *,
    threads: int = 2,
    panel_of: Callable[[PriceBasis, RunRequest], Panel] | None = None,
    should_cancel: ShouldCancel | None = None,
) -> Rerun:
    """Run a stored result again and compare.

    Parameters
    ----------
    panel_of : gives today's panel; None: it is opened

    Raises
    ------
    ResultNotFound
        No result is stored under this id.
    DataError
        The stored result is damaged.
    Cancelled
        ``should_cancel`` said so.
    """
    stored = results.load(identity)
    card = stored.card
    known = [*_code_changes(card), *_data_changes(store, card)]
    try:
        request = request_of(card)
    except DocumentError as error:
        faults = [Change(kind="rules", what=fault.path, before="", now=fault.message) for fault in error.faults]
        return _refused(identity, [*known, *faults], error)
    rules = _rule_changes(card, request)
    try:
        if panel_of is None:
            panel = open_panel(
                store,
                basis=basis_of(card),
                start=request.start,
                end=request.end,
                statements=request.strategy.statements,
            )
        else:
            panel = panel_of(basis_of(card), request)
        now_id = run_id(panel, request)
        if now_id == identity:
            source = DirectSource(panel, threads=threads, should_cancel=should_cancel)
            fresh = simulate(panel, request, source, should_cancel=should_cancel)
            return _compared(results, stored, fresh)
        home = Path(store.home)
        fresh = run_on_panel(panel, results, request, home=home, threads=threads, should_cancel=should_cancel).result
    except (InputError, DataError) as error:
        return _refused(identity, [*known, *rules], error)
    if panel.key != card["panel_key"] and not any(change.what == "snapshot_id" for change in known):
        known.append(Change(kind="data", what="panel_key", before=str(card["panel_key"]), now=panel.key))
    return Rerun(
        run_id=identity,
        now_id=now_id,
        changes=(*known, *rules),
        figures=_moved_figures(stored.metrics, fresh.metrics),
        tables=_moved_tables(stored.tables, fresh.tables),
        same_bytes=None,
    )


def _refused(identity: str, changes: Sequence[Change], error: StockLabError) -> Rerun:
    return Rerun(
        run_id=identity, now_id=None, changes=tuple(changes), figures=(), tables=(), same_bytes=None, refused=str(error)
    )


def _compared(results: ResultStore, stored: Result, fresh: Result) -> Rerun:
    """The same inputs: every file again, then its bytes."""
    with tempfile.TemporaryDirectory(prefix="stocklab-rerun-") as name:
        folder = Path(name)
        write_result(fresh, folder)
        before = results.path(stored.run_id)
        same_bytes = all((before / file.name).read_bytes() == file.read_bytes() for file in sorted(folder.iterdir()))
        card, metrics = (json.loads((folder / file).read_text(encoding="utf-8")) for file in _FILES)
        tables = {table: pl.read_parquet(folder / f"{table}.parquet") for table in TABLE_SCHEMAS}
    cards = _moved_figures(stored.card, card)
    return Rerun(
        run_id=stored.run_id,
        now_id=fresh.run_id,
        changes=(),
        figures=(*_moved_figures(stored.metrics, metrics), *cards),
        tables=_moved_tables(stored.tables, tables),
        same_bytes=same_bytes,
    )


_FILES: Final = ("run.json", "metrics.json")


def _moved_figures(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[FigureMove, ...]:
    return tuple(
        FigureMove(figure=name, before=before.get(name), now=now.get(name))
        for name in sorted({*before, *now}, key=lambda name: (_PLACES.get(name, len(_PLACES)), name))
        if _canonical(before.get(name)) != _canonical(now.get(name))
    )


_PLACES: Final = {name: place for place, name in enumerate(METRICS)}
"""Figures in the order in which results show them; what is no figure comes after."""


def _canonical(value: Any) -> str:
    """A JSON value as text: stored ones have their keys in another order than new ones."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _moved_tables(before: Mapping[str, pl.DataFrame], now: Mapping[str, pl.DataFrame]) -> tuple[TableMove, ...]:
    found = []
    for name in TABLE_SCHEMAS:
        one, other = before[name], now[name]
        if one.equals(other):
            continue
        day = "decided" if name == "orders" else "session"
        common = min(one.height, other.height)
        same_columns = one.columns == other.columns
        place = common
        if same_columns and common:
            differs = pl.any_horizontal(
                *(
                    one[column].head(common).ne_missing(other[column].head(common)).alias(column)
                    for column in one.columns
                )
            )
            marks = pl.select(differs).to_series()
            place = int(marks.arg_max() or 0) if marks.any() else common
        longer = one if one.height > place else other
        found.append(
            TableMove(
                table=name,
                rows_before=one.height,
                rows_now=other.height,
                first=str(longer[day][place]) if place < longer.height and day in longer.columns else "",
            )
        )
    return tuple(found)


def _code_changes(card: Mapping[str, Any]) -> list[Change]:
    now = {"version": stocklab.__version__, "code_sha256": code_stamp()}
    found: list[Change] = [
        Change(kind="code", what=name, before=str(card.get(name, "")), now=value)
        for name, value in now.items()
        if card.get(name) != value
    ]
    if card.get("engine_version") != ENGINE_VERSION:
        before = str(card.get("engine_version", ""))
        found.append(Change(kind="rules", what="engine_version", before=before, now=str(ENGINE_VERSION)))
    return found


def _rule_changes(card: Mapping[str, Any], request: RunRequest) -> list[Change]:
    """Fields that the document of today has or lacks: what was stored reads as today's program reads it."""
    moved = differing_fields(card["strategy"], request.strategy.model_dump(mode="json"), "strategy")
    return [Change(kind="rules", what=path, before=before, now=now) for path, before, now in moved[:_LISTED]]


def differing_fields(before: Any, now: Any, path: str) -> list[tuple[str, str, str]]:
    """Paths at which two JSON values differ, with both values as text; "" where one has none.

    >>> differing_fields({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3], "c": None}, "x")
    [('x.b.1', '2', '3'), ('x.c', '', 'null')]
    """
    if isinstance(before, dict) and isinstance(now, dict):
        found = []
        for name in sorted({*before, *now}):
            inner = f"{path}.{name}"
            if name not in before:
                found.append((inner, "", _canonical(now[name])))
            elif name not in now:
                found.append((inner, _canonical(before[name]), ""))
            else:
                found += differing_fields(before[name], now[name], inner)
        return found
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = zip(before, now, strict=True)
        return [row for place, pair in enumerate(pairs) for row in differing_fields(*pair, f"{path}.{place}")]
    one, other = _canonical(before), _canonical(now)
    return [] if one == other else [(path, one, other)]


def _data_changes(store: Store, card: Mapping[str, Any]) -> list[Change]:
    """The snapshot, and where the old one is still there, its datasets and the first bars that changed."""
    before, now = str(card["snapshot_id"]), store.current_id() or ""
    if before == now:
        return []
    found = [Change(kind="data", what="snapshot_id", before=before, now=now)]
    try:
        old, new = store.snapshot(before), store.snapshot(now)
    except StoreError:
        return [*found, Change(kind="data", what="snapshot_removed", before=before, now="")]
    if old.synthetic != new.synthetic:
        kinds = ["demo" if each.synthetic else "market" for each in (old, new)]
        return [*found, Change(kind="data", what="market", before=kinds[0], now=kinds[1])]
    for name in sorted({*old.manifest.datasets, *new.manifest.datasets}):
        found += _dataset_changes(name, old, new)
    return [*found, *_bar_changes(dataset_of(basis_of(card)), old, new)]


def _dataset_changes(name: str, old: Snapshot, new: Snapshot) -> list[Change]:
    one, other = old.manifest.datasets.get(name), new.manifest.datasets.get(name)
    if one is not None and other is not None and one.checksum == other.checksum:
        return []
    facts = [
        {"rows": "", "last_session": "", "checksum": ""}
        if entry is None
        else {
            "rows": f"{entry.rows:,}",
            "last_session": "" if entry.last_session is None else entry.last_session.isoformat(),
            "checksum": entry.checksum[:12],
        }
        for entry in (one, other)
    ]
    return [
        Change(kind="data", what=f"{name}.{fact}", before=facts[0][fact], now=facts[1][fact])
        for fact in facts[0]
        if facts[0][fact] != facts[1][fact]
    ]


def _bar_changes(name: str, old: Snapshot, new: Snapshot) -> list[Change]:
    """Bars added, removed and corrected, with the first one that was corrected."""
    if not (old.has(name) and new.has(name)):
        return []
    moved = changed_rows(old, new, name)
    counts = {"added": moved.added, "removed": moved.removed, "corrected": moved.corrected}
    found = [
        Change(kind="data", what=f"{name}.{what}", before="", now=f"{count:,}")
        for what, count in counts.items()
        if count
    ]
    if moved.first is not None:
        place, before, now = moved.first
        found.append(Change(kind="data", what=f"{name}.first_corrected {place}", before=before, now=now))
    return found
