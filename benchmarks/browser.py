"""How long a person waits between the click on Run and the chart, in real Chromium.

Each preset is opened in the builder and run twice: over the whole range (factor values not computed yet) and over the
last five years (computed already). A stored result is never asked for again, so every click is a real backtest.

    .venv/bin/python benchmarks/browser.py --home HOME
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import live_app
from playwright.sync_api import Page, expect

from stocklab.data.results import ResultStore

CHART = ".st-key-chart_equity .js-plotly-plot .main-svg"
PATIENCE_MS = 120_000


def open_preset(page: Page, url: str, preset: str) -> None:
    """Load a preset into the builder."""
    page.goto(f"{url}/?lang=en")
    live_app.settled(page)
    page.locator(f".st-key-open_{preset} button").click()
    expect(page.locator(".st-key-run_backtest button")).to_be_enabled(timeout=PATIENCE_MS)
    live_app.settled(page)


def click_to_chart(page: Page) -> float:
    """Seconds from the click on Run until the equity chart is drawn."""
    button = page.locator(".st-key-run_backtest button")
    button.scroll_into_view_if_needed()
    began = time.perf_counter()
    button.click()
    page.locator(CHART).first.wait_for(state="visible", timeout=PATIENCE_MS)
    return time.perf_counter() - began


def trades_of(home: Path, page: Page) -> int:
    """Trades of the run whose result the page shows."""
    run = page.url.split("run=")[1].split("&")[0]
    return int(ResultStore(home).read_json(run, "metrics")["n_trades"])


def measure(app: live_app.LiveApp, presets: Sequence[str]) -> list[dict[str, object]]:
    """One row for each preset and range."""
    rows: list[dict[str, object]] = []
    with live_app.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for preset in presets:
            for period in ("range_all", "range_5"):
                open_preset(page, app.url, preset)
                page.locator(".st-key-builder_section button").last.click()
                live_app.settled(page)
                page.locator(f".st-key-{period} button").click()
                live_app.settled(page)
                seconds = click_to_chart(page)
                live_app.settled(page)
                rows.append(
                    {
                        "preset": preset,
                        "range": period.removeprefix("range_"),
                        "seconds": round(seconds, 2),
                        "trades": trades_of(app.home, page),
                    }
                )
    return rows


def main(given: list[str] | None = None) -> int:
    """Print the rows as JSON; 1 when a click took longer than ``--most-seconds``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--home", type=Path, required=True, help="home with market data; a copy of it is used")
    parser.add_argument("--presets", nargs="*", default=[], help="default: the first three")
    parser.add_argument("--most-seconds", type=float, default=2.0)
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        home = copy_of(arguments.home, Path(folder) / "home")
        presets = arguments.presets or preset_ids(home)[:3]
        with live_app.serving(home) as app:
            rows = measure(app, presets)
    print(json.dumps(rows, indent=2))
    return int(any(float(str(row["seconds"])) > arguments.most_seconds for row in rows))


def copy_of(home: Path, target: Path) -> Path:
    """The market store of a home in another place, without results, caches and database."""
    shutil.copytree(home / "market", target / "market")
    return target


def preset_ids(home: Path) -> list[str]:
    """Every preset, in the order of the list."""
    return [row["id"] for row in json.loads(live_app.command(home, "presets", "list", "--json"))]


if __name__ == "__main__":
    raise SystemExit(main())
