"""``stocklab bench``: time and peak memory of what users wait for, each beside a floor or a target.

Every figure is measured in a process of its own, so that its peak memory is its own. The memory floor is the time to
stream the arrays that a step must read once through memory (a sum over each), measured in the same process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stocklab.bench.document import END, START, benchmark_document
from stocklab.errors import InputError

__all__ = ["FIGURES", "Figure", "run_figures"]

FIGURES = ("import", "panel", "engine", "factors", "screen", "sweep", "cli", "presets")
PANEL_FILES = (
    "krx_daily_2013_2019.parquet",
    "krx_daily_2020_2026.parquet",
    "krx_index_daily.parquet",
    "krx_sectors.parquet",
    "krx_delisted.parquet",
)
STATEMENT_FILES = ("dart_major_accounts_2016_2021.parquet",)
SWEEP_COUNTS = (100, 1000, 5000)
LEAST_TRADES = 50
_SYNTHETIC_SYMBOLS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measurement. ``ratio`` is how many times the ``floor`` it took; ``met`` None where there is no target."""

    name: str
    size: str
    seconds: float
    peak_mb: float | None = None
    target_seconds: float | None = None
    target_mb: float | None = None
    ratio: float | None = None
    floor: str = ""
    n_trades: int | None = None

    @property
    def met(self) -> bool | None:
        """Whether every target it has is met; fewer than 50 trades fails any backtest."""
        verdicts = []
        if self.target_seconds is not None:
            verdicts.append(self.seconds <= self.target_seconds)
        if self.target_mb is not None and self.peak_mb is not None:
            verdicts.append(self.peak_mb <= self.target_mb)
        if self.n_trades is not None:
            verdicts.append(self.n_trades >= LEAST_TRADES)
        return all(verdicts) if verdicts else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**asdict(self), "met": self.met}

    def describe(self) -> str:
        """One line."""
        parts = [f"{self.name:<28} {_seconds(self.seconds):>10}"]
        parts.append(f"target {_seconds(self.target_seconds)}" if self.target_seconds is not None else "")
        if self.peak_mb is not None:
            limit = f" (target {self.target_mb:,.0f})" if self.target_mb is not None else ""
            parts.append(f"peak {self.peak_mb:,.0f} MB{limit}")
        if self.ratio is not None:
            parts.append(f"{self.ratio:.1f}x {self.floor}")
        if self.n_trades is not None:
            parts.append(f"n_trades {self.n_trades:,}")
        parts.append({True: "met", False: "NOT MET", None: ""}[self.met])
        return "  ".join(part for part in parts if part) + f"  [{self.size}]"


def run_figures(
    names: Sequence[str], *, data: Path | None, on_progress: Callable[[str], None] | None = None
) -> list[Figure]:
    """Measure the figures named (all when none is) on a fresh home filled from ``data``, or a synthetic market.

    Raises
    ------
    InputError
        A name is unknown, or ``data`` lacks the files of the daily panel.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise InputError(f"Unknown figure {unknown[0]!r}. Expected of: {', '.join(FIGURES)}.")
    if data is not None and not all((data / file).is_file() for file in PANEL_FILES):
        raise InputError(f"{data} does not hold {', '.join(PANEL_FILES)}.")
    chosen = set(names or FIGURES)
    say = on_progress or (lambda text: None)
    figures: list[Figure] = []
    with _temporary_home() as home:
        say("filling a fresh home ...")
        filled = _fill(home, data)
        figures += [filled] if "import" in chosen else []
        if chosen & {"panel", "engine"}:
            say("engine ...")
            figures += [figure for figure in _engine(home) if figure.name.split(":")[0] in chosen]
        for name in ("factors", "screen"):
            if name in chosen:
                say(f"{name} ...")
                figures += _formula_language(home, data, name)
        if "sweep" in chosen:
            say("sweep ...")
            figures += _sweeps(home)
        if "cli" in chosen:
            say("command line ...")
            figures.append(_command_line(home))
        if "presets" in chosen:
            say("presets ...")
            figures += _presets(home)
    return figures


def _fill(home: Path, data: Path | None) -> Figure:
    if data is None:
        arguments = ["demo", "--symbols", str(_SYNTHETIC_SYMBOLS), "--until", END.isoformat()]
        name, size, limit = "import: synthetic market", f"{_SYNTHETIC_SYMBOLS} symbols, ten years", None
    else:
        arguments = ["data", "import", *(str(data / file) for file in PANEL_FILES)]
        name, size, limit = "import: daily, index, sectors", "6.8 million rows", 60.0
    done = _child(["-m", "stocklab.cli", *arguments], home)
    target = None if data is None else 3000.0
    return Figure(
        name=name, size=size, seconds=done.seconds, peak_mb=done.peak_mb, target_seconds=limit, target_mb=target
    )


def _engine(home: Path) -> list[Figure]:
    done = _child(["-m", "stocklab.bench.engine"], home)
    rows: list[Mapping[str, Any]] = json.loads(done.output)
    return [Figure(**{**row, "peak_mb": done.peak_mb if row["name"].startswith("engine") else None}) for row in rows]


def _formula_language(home: Path, data: Path | None, name: str) -> list[Figure]:
    """Figures of `stocklab.bench.factors`, with the statements of ``data`` where there are some."""
    files = [str(data / file) for file in STATEMENT_FILES if (data / file).is_file()] if data is not None else []
    if files:
        _child(["-m", "stocklab.cli", "data", "import", *files], home)
    figures = []
    for part in {"factors": ("all", "single", "peers"), "screen": ("screen",)}[name]:
        done = _child(["-m", "stocklab.bench.factors", part], home)
        figures += [Figure(**{"peak_mb": done.peak_mb, **row}) for row in json.loads(done.output)]
    return figures


def _sweeps(home: Path) -> list[Figure]:
    figures = []
    for count in SWEEP_COUNTS:
        done = _child(["-m", "stocklab.bench.sweeps", str(count)], home)
        figures += [Figure(**{"peak_mb": done.peak_mb, **row}) for row in json.loads(done.output)]
    return figures


def _command_line(home: Path) -> Figure:
    document = home / "benchmark.json"
    document.write_text(json.dumps(benchmark_document("daily")), encoding="utf-8")
    arguments = ["backtest", str(document), "--start", START.isoformat(), "--end", END.isoformat(), "--json"]
    _child(["-m", "stocklab.cli", *arguments], home)  # fills the compile cache
    _forget_results(home)
    done = _child(["-m", "stocklab.cli", *arguments, "--out", str(home / "out")], home)
    return Figure(
        name="cli: backtest, new process",
        size="daily with stops, top 20",
        seconds=done.seconds,
        peak_mb=done.peak_mb,
        target_seconds=4.0,
        target_mb=1500.0,
        n_trades=int(json.loads(done.output)["metrics"]["n_trades"]),
    )


def _presets(home: Path) -> list[Figure]:
    listing = _child(["-m", "stocklab.cli", "presets", "list", "--json"], home)
    figures = []
    for row in json.loads(listing.output):
        if not row["data"]["can_run"]:
            continue
        arguments = ["backtest", row["id"], "--start", START.isoformat(), "--end", END.isoformat(), "--json"]
        done = _child(["-m", "stocklab.cli", *arguments], home)
        trades = int(json.loads(done.output)["metrics"]["n_trades"])
        name = f"presets: {row['id']}"
        figures.append(
            Figure(name=name, size="new process", seconds=done.seconds, peak_mb=done.peak_mb, n_trades=trades)
        )
    return figures


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    output: str
    seconds: float
    peak_mb: float


def _child(arguments: Sequence[str], home: Path) -> _Done:
    """Run Python in a new process on the home; its wall time and its own peak resident memory."""
    environment = {**os.environ, "STOCKLAB_HOME": str(home), "STOCKLAB_LOG_LEVEL": "warning"}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as captured:
        process = subprocess.Popen([sys.executable, *arguments], env=environment, stdout=captured)
        _, code, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(code)
        captured.seek(0)
        output = captured.read()
    if process.returncode != 0:
        raise InputError(f"{' '.join(arguments)} ended with exit code {process.returncode}; its message is above.")
    return _Done(output=output, seconds=seconds, peak_mb=usage.ru_maxrss / 1000)


@contextmanager
def _temporary_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stocklab-bench-") as folder:
        yield Path(folder)


def _forget_results(home: Path) -> None:
    (home / "results").rename(home / "results-of-warm-up")


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"
