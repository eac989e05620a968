"""Stock Lab beside vectorbt, bt and backtrader: the same targets on the same panel, books checked, timed in one run.

    .venv/bin/python benchmarks/peers.py --home HOME      # or --data ../shared/data, or neither: the demo market

The others run in an environment of their own (`benchmarks/peers/`), made with uv when it is missing. Simulation step is
compared with simulation step: our kernel with full KRX rules against their order loop. Where a peer is too slow for the
whole panel it runs on fewer symbols and its time is extrapolated in proportion, which is said.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import live_app
import numpy as np
import polars as pl
from numba import njit

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.plan import build_plan
from stocklab.backtest.walking import run_kernel
from stocklab.bench.document import BENCHMARK_RULES, benchmark_document
from stocklab.data import Store, open_panel
from stocklab.factors import DirectSource, Wanted, evaluate
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy import parse_document

HERE: Final = Path(__file__).resolve().parent
FILES: Final = ("krx_daily_2013_2019", "krx_daily_2020_2026", "krx_index_daily", "krx_sectors")
CASH: Final = 100_000_000
HOLDINGS: Final = 20
SETTLED: Final = 3
"""Sessions until our book is whole: purchases wait for the money of the sales, which others spend at once."""
BACKTRADER_SYMBOLS: Final = (50, 200)
NO_COSTS: Final = {"commission_rate": 0, "tax": 0, "slippage_rate": 0}


def best(work: Callable[[], Any], repeats: int = 5) -> float:
    """Seconds of the fastest of several calls."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


class Ours:
    """The panel, a result without costs, and the seconds of the kernel."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.first = panel.sessions[0].item()
        self.last = panel.sessions[-1].item()
        self.result = simulate(panel, self.request("monthly"), DirectSource(panel))
        self.seconds = {variant: self.kernel(variant) for variant in ("monthly", "daily")}

    def request(self, variant: str) -> RunRequest:
        """The benchmark strategy; monthly without stops and costs, so that others can do the same."""
        document = benchmark_document("monthly" if variant == "monthly" else "daily")
        if variant == "monthly":
            document |= {"exit": {}, "costs": NO_COSTS}
        return RunRequest(strategy=parse_document(document), start=self.first, end=self.last, initial_cash_krw=CASH)

    def kernel(self, variant: str) -> float:
        """Seconds of the simulation step alone."""
        request = self.request(variant)
        plan = build_plan(self.panel, request, DirectSource(self.panel))
        run_kernel(self.panel, request, plan)
        return best(lambda: run_kernel(self.panel, request, plan))

    def arrays(self) -> dict[str, Any]:
        """What the others read: prices without gaps, target weights, signals and our trades."""
        panel = self.panel
        shape = (panel.n_sessions, panel.n_symbols)
        close = filled(panel.fields["close"])
        bars = {
            name: np.where(np.nan_to_num(panel.fields[name]) > 0, panel.fields[name], close).astype(np.float64)
            for name in ("open", "high", "low")
        }
        row_of = {day: row for row, day in enumerate(panel.sessions.astype("datetime64[D]").tolist())}
        amounts, price = np.full(shape, np.nan), bars["open"].copy()
        trades = self.result.tables["trades"]
        for day, symbol, side, shares, paid in trades.select(
            "session", "symbol", "side", "shares", "price_krw"
        ).iter_rows():
            cell = row_of[day], panel.column(symbol)
            amounts[cell] = np.nan_to_num(amounts[cell]) + (shares if side == "buy" else -shares)
            price[cell] = paid
        targets, decided = np.full(shape, np.nan), np.full(shape, np.nan)
        held = {
            row_of[day]: [panel.column(symbol) for symbol in part["symbol"]]
            for (day,), part in self.result.tables["positions"].group_by("session")
        }
        for day in rebalanced(trades):
            row = row_of[day]
            wanted = held.get(min(row + SETTLED, shape[0] - 1), [])
            for table, line in ((targets, row), (decided, max(row - 1, 0))):
                table[line] = 0.0
                table[line, wanted] = 1.0 / HOLDINGS
        entries, exits = evaluate(
            [
                Wanted("&".join(f"({rule})" for rule in BENCHMARK_RULES.values()), "condition"),
                Wanted("close<sma(close,60)", "condition"),
            ],
            panel,
        )
        return {
            "sessions": panel.sessions,
            "close": close,
            **bars,
            "volume": np.nan_to_num(panel.fields["volume"]).astype(np.float64),
            "price": price,
            "amounts": amounts,
            "targets": targets,
            "decided": decided,
            "entries": np.asarray(entries) == 1,
            "exits": np.asarray(exits) == 1,
        }


def rebalanced(trades: pl.DataFrame) -> pl.Series:
    """The first session with trades of each month."""
    return trades.group_by(pl.col("session").dt.truncate("1mo")).agg(first=pl.col("session").min())["first"]


def filled(values: Any) -> Any:
    """The last known value, and the first one before it."""
    frame = pl.DataFrame(np.asarray(values, dtype=np.float64), schema=[str(n) for n in range(values.shape[1])])
    frame = frame.fill_nan(None).fill_null(strategy="forward").fill_null(strategy="backward").fill_null(1.0)
    return np.ascontiguousarray(frame.to_numpy())


def environment(folder: Path) -> Path:
    """Python of the peers' environment, made from its own lock file."""
    python = folder / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv") or str(HERE.parent / ".cache" / "uv" / "bin" / "uv")
        subprocess.run(
            [uv, "sync", "--frozen", "--quiet", "--project", str(HERE / "peers"), "--python", sys.executable],
            check=True,
            env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON_DOWNLOADS": "never"},
        )
    return python


def ask(python: Path, job: str, given: Path) -> dict[str, Any]:
    """What a peer measured; what went wrong instead, if something did."""
    done = subprocess.run(
        [str(python), "-W", "ignore", str(HERE / "peers" / "run.py"), job, str(given)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def compare(panel: Panel, python: Path, folder: Path) -> list[dict[str, Any]]:
    """One row for every peer."""
    ours = Ours(panel)
    arrays = ours.arrays()
    whole = folder / "whole.npz"
    np.savez(whole, **arrays)
    equity = float(ours.result.tables["daily"]["equity_krw"][-1])
    trades = ours.result.tables["trades"].height
    replay = ask(python, "vectorbt_replay", whole)
    rows = [
        {"what": "our trades replayed by vectorbt", "peer": replay, "our_final": equity, "our_fills": trades}
        | ({} if "error" in replay else {"same_to_the_won": abs(replay["final"] - equity) < 1.0}),
        row(
            "vectorbt from_orders, target percent, shared cash",
            ask(python, "vectorbt_target_percent", whole),
            ours.seconds["monthly"],
            least=1000,
            our_final=equity,
        ),
        row(
            "vectorbt from_signals with a stop", ask(python, "vectorbt_signals", whole), ours.seconds["daily"], least=30
        ),
        row("bt, weights at the close", ask(python, "bt_weights", whole), ours.seconds["monthly"], our_final=equity),
    ]
    measured = {}
    busiest = np.argsort(-np.nan_to_num(arrays["targets"]).sum(axis=0))
    for count in BACKTRADER_SYMBOLS:
        part = folder / f"part{count}.npz"
        chosen = np.sort(busiest[:count])
        names = ("open", "high", "low", "close", "volume", "decided")
        np.savez(part, sessions=arrays["sessions"], **{name: arrays[name][:, chosen] for name in names})
        measured[count] = ask(python, "backtrader_weights", part)
    few, many = (measured[count] for count in BACKTRADER_SYMBOLS)
    if "error" not in few and "error" not in many:
        slope = (many["seconds"] - few["seconds"]) / (BACKTRADER_SYMBOLS[1] - BACKTRADER_SYMBOLS[0])
        many = many | {"seconds_of_part": many["seconds"]}
        many["seconds"] = many["seconds"] + slope * (panel.n_symbols - BACKTRADER_SYMBOLS[1])
    rows.append(
        row(f"backtrader, extrapolated from {BACKTRADER_SYMBOLS} symbols", many, ours.seconds["monthly"], least=1000)
    )
    rows.append(claims(ask(python, "pandas_rolling", whole), arrays["close"]))
    return rows


def row(what: str, peer: dict[str, Any], seconds: float, *, least: float = 1.0, **more: Any) -> dict[str, Any]:
    """A comparison of seconds; met when the peer takes at least ``least`` times ours."""
    found = {"what": what, "peer": peer, "our_seconds": seconds, **more}
    if "error" not in peer:
        found["times_faster"] = peer["seconds"] / seconds
        found["met"] = found["times_faster"] >= least
    return found


def claims(rolling: dict[str, Any], close: Any) -> dict[str, Any]:
    """Claims of the documents: polars against pandas, Numba against Python, whole arrays against a loop."""
    line = close[:, 0].tolist()

    def smooth(values: Any) -> float:
        average = values[0]
        for value in values:
            average = average + (value - average) * 0.0625
        return float(average)

    compiled = njit(smooth)
    array = np.asarray(line)
    compiled(array)

    def loop() -> int:
        return sum(1 for before, value in pairwise(line) if before > 1000.0 and value > before)

    whole = best(lambda: int(((close[:-1] > 1000.0) & (close[1:] > close[:-1])).sum()), 3) / close.shape[1]
    return {
        "what": "claims: polars 10x pandas, Numba 10x Python, whole arrays 100x a loop",
        "polars_times_pandas": rolling["seconds"] / rolling["polars_seconds"] if "error" not in rolling else rolling,
        "numba_times_python": best(lambda: smooth(line), 20) / best(lambda: compiled(array), 200),
        "arrays_times_loop": best(loop, 20) / whole,
    }


def main(given: Sequence[str] | None = None) -> int:
    """Print the rows as JSON; 1 when a figure is not met or books differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--home", type=Path, help="home with market data (it is only read)")
    parser.add_argument("--data", type=Path, help="folder of real market files to import")
    parser.add_argument("--environment", type=Path, default=HERE.parent / "build" / "peers", help="of the peers")
    arguments = parser.parse_args(given)
    python = environment(arguments.environment)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = arguments.home or folder / "home"
        if arguments.data:
            live_app.command(home, "data", "import", *(str(arguments.data.resolve() / f"{f}.parquet") for f in FILES))
        elif not arguments.home:
            live_app.command(home, "demo")
        panel = open_panel(Store(home), basis=PriceBasis.ADJUSTED)
        rows = compare(panel, python, folder)
    print(json.dumps(rows, indent=2))
    return int(any(row.get("met") is False or row.get("same_to_the_won") is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
