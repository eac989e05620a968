"""The figures of the app in the browser: click to chart, and the load that one UI process carries.

    .venv/bin/python benchmarks/ui.py --data ../shared/data      # or --home HOME, or neither: the demo market

The load test runs the server on one core and the clients on the other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import browser
import live_app

HERE = Path(__file__).resolve().parent
FILES = (
    "krx_daily_2013_2019.parquet",
    "krx_daily_2020_2026.parquet",
    "krx_index_daily.parquet",
    "krx_sectors.parquet",
)
MOST_CLICK_SECONDS = 2.0
LEAST_RUNS_PER_SECOND = 60.0
MOST_P95_MS = 150.0


def load(app: live_app.LiveApp, query: str, core: int, *limits: str) -> dict[str, object]:
    """One load test of the result page, from its own core."""
    command = [sys.executable, str(HERE / "load.py"), "--url", app.url, "--page", "results", "--query", query]
    done = subprocess.run(
        [*command, "--pid", str(app.server.pid), "--expect", "plotly_chart", "metric", *limits],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    found: dict[str, object] = json.loads(done.stdout)
    found["met"] = done.returncode == 0
    return found


def a_result(home: Path, preset: str) -> str:
    """Query string of a finished ten-year run."""
    with tempfile.TemporaryDirectory() as out:
        arguments = ("backtest", preset, "--start", "2016-01-04", "--end", "2025-12-30", "--out", out)
        live_app.command(home, *arguments)
        return f"run={json.loads((Path(out) / 'run.json').read_text(encoding='utf-8'))['run_id']}"


def measure(home: Path, seconds: float) -> dict[str, object]:
    """All figures of the app."""
    presets = browser.preset_ids()
    with live_app.serving(home) as app:
        clicks = browser.measure(app, presets[:3])
    query = a_result(home, presets[0])
    cores = sorted(os.sched_getaffinity(0))
    server_core, client_core = cores[0], cores[-1]
    with live_app.serving(home, cores=[server_core]) as app:
        rate = load(
            *(app, query, client_core, "--users", "16", "--think", "0", "--seconds", str(seconds)),
            *("--warmup", "8", "--least-runs", str(LEAST_RUNS_PER_SECOND)),
        )
        crowd = load(
            *(app, query, client_core, "--users", "200", "--think", "5", "--seconds", str(seconds)),
            *("--warmup", "20", "--most-p95-ms", str(MOST_P95_MS)),
        )
    slowest = max(float(str(row["seconds"])) for row in clicks)
    return {
        "click_to_chart": {"rows": clicks, "slowest_seconds": slowest, "met": slowest <= MOST_CLICK_SECONDS},
        "most_runs": rate,
        "two_hundred_users": crowd,
    }


def main(given: list[str] | None = None) -> int:
    """Print one JSON object; 1 when a figure is not met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--home", type=Path, help="home with market data; a copy of it is used")
    parser.add_argument("--data", type=Path, help="folder of real market files to import")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each load test")
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if arguments.home:
            browser.copy_of(arguments.home, home)
        elif arguments.data:
            live_app.command(home, "data", "import", *(str(arguments.data.resolve() / name) for name in FILES))
        else:
            live_app.command(home, "demo")
        found = measure(home, arguments.seconds)
    print(json.dumps(found, indent=2))
    return int(not all(part["met"] for part in found.values() if isinstance(part, dict)))


if __name__ == "__main__":
    raise SystemExit(main())
