"""Import files into the market store: everything is read and checked before anything is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import structlog

from stocklab.data.convert import require
from stocklab.data.datasets import DATASETS, PRICES_ADJUSTED
from stocklab.data.layouts import Piece, check_mapping, read_mapped, recognize
from stocklab.data.merge import Merged, Overlap, merge_instruments, merge_rows, without_frame
from stocklab.data.merge_members import merge_members
from stocklab.data.merge_statements import merge_statements
from stocklab.data.merge_years import merge_years
from stocklab.data.panel_build import build_panel, dataset_of
from stocklab.data.reading import SUFFIXES, read_columns, read_file
from stocklab.data.rebase import merge_rebased
from stocklab.data.snapshot import UNCHANGED, Partitions, Snapshot, Unchanged
from stocklab.data.store import Store
from stocklab.errors import BrokenInput, InputError
from stocklab.market.panel import PriceBasis

__all__ = ["FileReport", "ImportReport", "import_paths"]

log = structlog.get_logger()

GRACE_HOURS: Final = 48.0
OnImportProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file: its layout and rows, or why it was left out."""

    path: str
    layout: str
    rows: int
    skipped: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Outcome of an import; ``added`` and ``replaced`` count rows per dataset."""

    snapshot_id: str
    unchanged: bool
    files: tuple[FileReport, ...]
    added: Mapping[str, int]
    replaced: Mapping[str, int]
    quality: Mapping[str, int]
    notes: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        value = asdict(self)
        value["files"] = [asdict(file) for file in self.files]
        return value

    def describe(self) -> str:
        """Lines for a terminal."""
        lines = []
        for file in self.files:
            what = "skipped" if file.skipped else f"{file.rows:,} rows"
            lines.append(
                f"  {Path(file.path).name:<34} {file.layout:<18} {what}{': ' + file.note if file.note else ''}"
            )
        if self.unchanged:
            lines.insert(0, f"Unchanged: everything is already in snapshot {self.snapshot_id}.")
        else:
            lines.insert(0, f"Snapshot {self.snapshot_id} is current ({self.seconds:.1f} s).")
            for name in sorted({**self.added, **self.replaced}):
                replaced = f", {self.replaced[name]:,} replaced" if self.replaced.get(name) else ""
                lines.append(f"  {name}: {self.added.get(name, 0):,} rows added{replaced}")
        findings = {name: count for name, count in self.quality.items() if count}
        if findings:
            lines.append("Quality findings: " + ", ".join(f"{name} {count:,}" for name, count in findings.items()))
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What was asked for."""

    paths: tuple[Path, ...]
    mapping: Mapping[str, str] | None
    basis: PriceBasis | None
    source: str | None
    overlap: Overlap


def import_paths(
    store: Store,
    paths: Sequence[Path],
    *,
    mapping: Mapping[str, str] | None = None,
    basis: PriceBasis | None = None,
    source: str | None = None,
    replace: bool = False,
    new_rows_only: bool = False,
    rebase: bool = False,
    grace_hours: float = GRACE_HOURS,
    on_progress: OnImportProgress | None = None,
) -> ImportReport:
    """Import files and folders as one unit: all of them, or nothing changes.

    Parameters
    ----------
    paths : files or folders
        A folder stands for the Parquet and CSV files directly in it.
    mapping : our name -> the file's column, optional
        For daily bars in any other layout; needs ``basis``. See `layouts.mapped.read_mapped`.
    basis : PriceBasis, optional
        Price basis of mapped files.
    source : str, optional
        Where the data came from, kept in the manifest; default: the file names.
    replace, new_rows_only, rebase : bool
        For rows that are stored with other values: take the file's, or keep the stored ones and add only new rows, or
        first bring stored adjusted bars to the scale of the file's (`rebase`) and then add the new rows. By default
        such a file is refused.
    grace_hours : float
        Snapshots replaced longer ago than this are removed afterwards.

    Returns
    -------
    What happened. The panels of the new snapshot are built as well. Into a home of demo data the import starts from
    empty.

    Raises
    ------
    BrokenInput
        A file is refused, with file, row and column; the store is unchanged.
    InputError
        The request itself is not valid: no such path, nothing to import, an unknown name in the mapping.
    StoreError
        Somebody else is writing.
    """
    started = time.perf_counter()
    if replace + new_rows_only + rebase > 1:
        raise InputError("Choose one of replace, new-rows-only and rebase.")
    if mapping is not None:
        basis = check_mapping(mapping, basis)
    wanted = {Overlap.REPLACE: replace, Overlap.NEW_ROWS_ONLY: new_rows_only, Overlap.REBASE: rebase}
    overlap = next((one for one, asked in wanted.items() if asked), Overlap.REFUSE)
    order = _Order(paths=tuple(paths), mapping=mapping, basis=basis, source=source, overlap=overlap)
    say = on_progress if on_progress is not None else _quiet
    with store.writing("import data"):
        report = _import(store, order, say, started)
        store.collect_garbage(grace_hours)
    log.info(
        "import_done",
        snapshot=report.snapshot_id,
        unchanged=report.unchanged,
        files=sum(not file.skipped for file in report.files),
        rows=sum(file.rows for file in report.files),
        seconds=round(report.seconds, 3),
    )
    return report


def _import(store: Store, order: _Order, say: OnImportProgress, started: float) -> ImportReport:
    current = store.current()
    base = current if current is not None and not current.synthetic else None
    pieces, files = _read_all(order, say)
    notes: list[str] = []
    if current is not None and base is None:
        notes.append(f"Demo data {current.id} is no longer current; market data is never mixed with it.")
    content: dict[str, pl.DataFrame | Partitions | Unchanged] = {}
    if base is not None:
        content.update(dict.fromkeys(base.manifest.datasets, UNCHANGED))
    changed, merged, feeds = _merge_all(pieces, base, order.overlap, say, notes)
    content.update(changed)
    del changed
    notes.extend(_left_out_notes(merged))
    say("writing the snapshot")
    snapshot = store.write(content, sources=_sources(feeds, base, order.source))
    del content
    for basis in PriceBasis:
        if snapshot.has(dataset_of(basis)):
            say(f"building the {basis.value} panel")
            build_panel(store, snapshot, basis)
    return ImportReport(
        snapshot_id=snapshot.id,
        unchanged=current is not None and snapshot.id == current.id,
        files=tuple(files),
        added={name: sum(one.added for one in parts) for name, parts in merged.items() if name in feeds},
        replaced={
            name: sum(one.replaced for one in parts) for name, parts in merged.items() if any(p.replaced for p in parts)
        },
        quality=snapshot.manifest.quality,
        notes=tuple(notes),
        seconds=time.perf_counter() - started,
    )


def _read_all(order: _Order, say: OnImportProgress) -> tuple[list[Piece], list[FileReport]]:
    pieces: list[Piece] = []
    files: list[FileReport] = []
    for path, named in _files_of(order.paths):
        say(f"reading {path.name}")
        found, report = _read_one(path, named, order)
        pieces.extend(found)
        files.append(report)
    if not pieces:
        what = "; ".join(f"{Path(file.path).name}: {file.note}" for file in files) or "no Parquet or CSV file there"
        raise InputError(
            f"Nothing to import ({what}). Hint: name files in a known layout, or use --map for other daily bars."
        )
    return pieces, files


def _files_of(paths: Sequence[Path]) -> list[tuple[Path, bool]]:
    """Files with whether they were named themselves; folders stand for the files directly in them."""
    files: list[tuple[Path, bool]] = []
    for path in paths:
        if path.is_dir():
            files.extend((one, False) for one in sorted(path.iterdir()) if one.suffix.lower() in SUFFIXES)
        elif not path.is_file():
            raise InputError(f"There is no file or folder {str(path)!r}.")
        elif path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{str(path)!r}: expected a .parquet or .csv file or a folder of them.")
        else:
            files.append((path, True))
    return list({path.resolve(): (path, named) for path, named in files}.values())


def _read_one(path: Path, named: bool, order: _Order) -> tuple[list[Piece], FileReport]:
    if order.mapping is not None and order.basis is not None:
        file = read_file(path)
        found = read_mapped(file, order.mapping, order.basis, order.source or file.name)
        return found, FileReport(path=str(path), layout="mapped", rows=file.frame.height)
    columns = read_columns(path)
    layout = recognize(path, columns)
    if layout.read is None:
        note = f"{layout.name} files are read by a later version"
        if named:
            raise BrokenInput(f"{note}.", file=path.name)
        return [], FileReport(path=str(path), layout=layout.name, rows=0, skipped=True, note=note)
    if layout.incremental and not named and order.overlap is Overlap.REFUSE:
        note = "continues the panel on a scale of its own; import it by name, after the others, with --rebase"
        return [], FileReport(path=str(path), layout=layout.name, rows=0, skipped=True, note=note)
    require(path.name, columns, layout.columns, layout=layout.name)
    file = read_file(path, [name for name in columns if name in layout.columns or name in layout.optional])
    found = layout.read(file)
    note = "; ".join(piece.note for piece in found if piece.note)
    return found, FileReport(path=str(path), layout=layout.name, rows=file.frame.height, note=note)


def _merge_all(
    pieces: list[Piece], base: Snapshot | None, overlap: Overlap, say: OnImportProgress, notes: list[str]
) -> tuple[dict[str, pl.DataFrame | Partitions], dict[str, list[Merged]], dict[str, list[str]]]:
    """New content per changed dataset, what became of every dataset's rows, and the files that fed the changed ones.

    Empties ``pieces`` on the way: a whole market is in memory once, not twice.
    """
    content: dict[str, pl.DataFrame | Partitions] = {}
    value: pl.DataFrame | Partitions | None
    merged: dict[str, list[Merged]] = {}
    feeds: dict[str, list[str]] = {}
    for name in sorted({piece.dataset for piece in pieces}):
        say(f"merging {name}")
        mine = [piece for piece in pieces if piece.dataset == name]
        pieces[:] = [piece for piece in pieces if piece.dataset != name]
        if name == PRICES_ADJUSTED and overlap is Overlap.REBASE and base is not None and base.has(name):
            value, parts, note = merge_rebased(mine, base)
            notes.extend([note] if note else [])
        else:
            value, parts = _merge(name, mine, base, overlap)
        if value is not None:
            content[name] = value
            feeds[name] = [piece.file for piece in mine]
        merged[name] = [without_frame(part) for part in parts]
    return content, merged, feeds


def _merge(
    name: str, pieces: Sequence[Piece], base: Snapshot | None, overlap: Overlap
) -> tuple[pl.DataFrame | Partitions | None, list[Merged]]:
    """New content of a dataset, None when the stored one stays."""
    stored = base if base is not None and name in base.manifest.datasets else None
    if name == "instruments":
        one = merge_instruments(pieces, stored.scan(name).collect() if stored is not None else None)
        return one.frame, [one]
    if name == "statements":
        one = merge_statements(pieces, stored.scan(name).collect() if stored is not None else None, overlap)
        return one.frame, [one]
    if name == "members":
        one = merge_members(pieces, stored.scan(name).collect() if stored is not None else None, overlap)
        return one.frame, [one]
    if name == "delistings":  # the exchange corrects reasons: the newer list wins
        overlap = Overlap.REPLACE
    if not DATASETS[name].by_year:
        one = merge_rows(name, pieces, stored.scan(name).collect() if stored is not None else None, overlap)
        return one.frame, [one]
    return merge_years(name, pieces, stored, overlap)


def _left_out_notes(merged: Mapping[str, Sequence[Merged]]) -> list[str]:
    notes = []
    for name, parts in merged.items():
        symbols = sorted({symbol for part in parts for symbol in part.left_out})
        if symbols:
            shown = ", ".join(symbols[:5]) + (", ..." if len(symbols) > 5 else "")
            notes.append(
                f"{name}: {len(symbols)} symbols ({shown}) were left out: their closes differ from the stored ones "
                "where both are known, so their new rows are on another scale."
            )
        superseded = sum(part.superseded for part in parts)
        if superseded:
            notes.append(
                f"{name}: {superseded:,} reports dated by their deadline gave way to the same ones with their receipt."
            )
    return notes


def _sources(feeds: Mapping[str, Sequence[str]], base: Snapshot | None, source: str | None) -> dict[str, str]:
    """Per changed dataset what it was made of so far, and the new files (or what the caller says of them)."""
    sources = {}
    for name, files in feeds.items():
        before = base.manifest.datasets[name].source if base is not None and name in base.manifest.datasets else ""
        parts = [*before.split("; "), *([source] if source else files)]
        sources[name] = "; ".join(dict.fromkeys(part for part in parts if part))
    return sources


def _quiet(text: str) -> None:
    """Nobody listens."""
