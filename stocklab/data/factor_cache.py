"""Factor values on disk, keyed by formula, panel and universe, under a size budget."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import structlog

from stocklab.caches import tally
from stocklab.data.direct_io import save_array
from stocklab.factors import Wanted, check, evaluate
from stocklab.market.panel import Panel
from stocklab.types import AnyArray, BoolArray

__all__ = ["CachedSource", "flush"]

log = structlog.get_logger(__name__)

_ALL = tally("factor_values")

_WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="factor-cache")
_PENDING: dict[Path, AnyArray] = {}
_PENDING_LOCK = threading.Lock()
_WRITTEN = threading.Condition(_PENDING_LOCK)


class CachedSource:
    """A `FormulaSource` that remembers: what was computed once for a panel is memory-mapped the next time.

    Files are ``cache/factors/<panel key>/<sha256>.npy``, written beside and moved into place by a background thread, so
    a reader sees a whole file or none. ``hits`` and ``misses`` count the formulas of this source's calls.
    ``past_page_cache`` is for a cold fill with far more values than will be read soon.
    """

    def __init__(
        self,
        panel: Panel,
        home: Path,
        *,
        threads: int = 2,
        budget_mb: int = 2048,
        should_cancel: Callable[[], bool] | None = None,
        past_page_cache: bool = False,
    ) -> None:
        self.panel = panel
        self.root = home / "cache" / "factors"
        self.folder = self.root / hashlib.sha256(panel.key.encode()).hexdigest()[:20]
        self.budget_bytes = budget_mb * 1_000_000
        self.hits = 0
        self.misses = 0
        self._threads = threads
        self._should_cancel = should_cancel
        self._past_page_cache = past_page_cache

    def compute(self, wanted: Sequence[Wanted], universe: BoolArray | None = None) -> tuple[AnyArray, ...]:
        """As `FormulaSource.compute`; arrays may be read-only memory maps."""
        universe_hash = _LazyHash(universe)
        files = [self._file(item, universe_hash) for item in wanted]
        found = [_open(file) for file in files]
        missing = [position for position, values in enumerate(found) if values is None]
        self.hits += len(wanted) - len(missing)
        self.misses += len(missing)
        _ALL.count(hits=len(wanted) - len(missing), misses=len(missing))
        if missing:
            fresh = evaluate(
                [wanted[position] for position in missing],
                self.panel,
                universe=universe,
                threads=self._threads,
                should_cancel=self._should_cancel,
            )
            for position, values in zip(missing, fresh, strict=True):
                found[position] = values
                if self.budget_bytes:
                    self._store(files[position], values)
        return tuple(values for values in found if values is not None)

    def _file(self, item: Wanted, universe_hash: _LazyHash) -> Path:
        checked = check(item.formula)
        parts = [checked.fingerprint, item.kind, universe_hash.hexdigest() if checked.cross_sectional else ""]
        return self.folder / f"{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:40]}.npy"

    def _store(self, file: Path, values: AnyArray) -> None:
        with _PENDING_LOCK:
            if file in _PENDING:
                return
            _PENDING[file] = values
        _WRITER.submit(_write, file, values, self.root, self.budget_bytes, self._past_page_cache).add_done_callback(
            _report
        )


def flush(*, keep: int = 0) -> None:
    """Wait until every value handed to the cache is on disk, or all but ``keep`` of them.

    A caller with more values than memory can hold waits so for the disk.
    """
    if keep == 0:
        _WRITER.submit(int).result()
        return
    with _WRITTEN:
        _WRITTEN.wait_for(lambda: len(_PENDING) <= keep)


class _LazyHash:
    """Hash of a universe mask, computed only if a cross-sectional formula asks for it."""

    def __init__(self, universe: BoolArray | None) -> None:
        self._universe = universe
        self._digest: str | None = None

    def hexdigest(self) -> str:
        if self._digest is None:
            if self._universe is None:
                self._digest = "listed"
            else:
                packed = np.packbits(np.ascontiguousarray(self._universe))
                self._digest = hashlib.blake2b(packed.tobytes(), digest_size=16).hexdigest()
        return self._digest


def _open(file: Path) -> AnyArray | None:
    with _PENDING_LOCK:
        pending = _PENDING.get(file)
    if pending is not None:
        return pending
    try:
        values: AnyArray = np.load(file, mmap_mode="r")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        file.unlink(missing_ok=True)  # a damaged cache file is worth nothing: compute again
        return None
    os.utime(file)
    return values


def _write(file: Path, values: AnyArray, root: Path, budget_bytes: int, past_page_cache: bool) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.part")
        if past_page_cache:
            save_array(draft, values)
        else:
            with draft.open("wb") as handle:
                np.save(handle, values)
        os.replace(draft, file)
        _shrink(root, budget_bytes)
    finally:
        with _WRITTEN:
            _PENDING.pop(file, None)
            _WRITTEN.notify_all()


def _report(done: Future[None]) -> None:
    error = done.exception()
    if error is not None:  # a full disk must not fail a run whose values are already in memory
        log.warning("factor_cache_write_failed", error=str(error))


def _shrink(root: Path, budget_bytes: int) -> None:
    """Remove the files used longest ago until the rest fits."""
    entries = []
    for file in root.glob("*/*.npy"):
        try:
            state = file.stat()
        except FileNotFoundError:
            continue  # another process removed it
        entries.append((state.st_mtime_ns, state.st_size, file))
    total = sum(size for _, size, _ in entries)
    for _, size, file in sorted(entries):
        if total <= budget_bytes:
            break
        file.unlink(missing_ok=True)
        total -= size
