"""How long a person waits between the click on Run and the chart, in real Chromium.

Each preset is opened in the builder and run twice: over the whole range (factor values not computed yet) and over the
last five years (computed already), or once over the days given. A stored result is never asked for again, so every
click is a real backtest.

    .venv/bin/python benchmarks/browser.py --home HOME
    .venv/bin/python benchmarks/browser.py --home HOME --presets rsi_reversal --start 2014-01-02 --end 2026-02-20
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
from stocklab.factors import check
from stocklab.strategy import PRESETS, Strategy

CHART = ".st-key-chart_equity .js-plotly-plot .main-svg"
PATIENCE_MS = 120_000


def open_preset(page: Page, url: str, preset: str) -> None:
    """Load a preset into the builder."""
    page.goto(f"{url}/?lang=en")
    live_app.settled(page)
    card = page.locator(f".st-key-open_{preset} button")
    if card.count() == 0:  # the home page shows the first dozen
        page.locator(".st-key-more_presets button").click()
    card.click()
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


def choose_days(page: Page, days: tuple[str, str]) -> None:
    """Type the first and last day."""
    for key, day in zip(("start", "end"), days, strict=True):
        field = page.locator(f".st-key-range_{key} input")
        field.fill(day)
        field.press("Enter")
        live_app.settled(page)
        expect(field).to_have_value(day)


def measure(
    app: live_app.LiveApp, presets: Sequence[str], days: tuple[str, str] | None = None
) -> list[dict[str, object]]:
    """One row for each preset and range: all and five years, or the days from ``days[0]`` to ``days[1]``."""
    rows: list[dict[str, object]] = []
    with live_app.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for preset in presets:
            for period in ("range_all", "range_5") if days is None else (" to ".join(days),):
                open_preset(page, app.url, preset)
                page.locator(".st-key-builder_section button").last.click()
                live_app.settled(page)
                if days is None:
                    page.locator(f".st-key-{period} button").click()
                    live_app.settled(page)
                else:
                    choose_days(page, days)
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
    """Print the rows as JSON; 1 when a click took longer or a run traded less than allowed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--home", type=Path, required=True, help="home with market data; a copy of it is used")
    parser.add_argument("--presets", nargs="*", default=[], help="default: the first three")
    parser.add_argument("--start", help="first day, YYYY-MM-DD; with --end")
    parser.add_argument("--end", help="last day")
    parser.add_argument("--most-seconds", type=float, default=2.0)
    parser.add_argument("--least-trades", type=int, default=50, help="fewer are no result")
    arguments = parser.parse_args(given)
    if (arguments.start is None) != (arguments.end is None):
        parser.error("--start and --end belong together")
    days = (arguments.start, arguments.end) if arguments.start else None
    with tempfile.TemporaryDirectory() as folder:
        home = copy_of(arguments.home, Path(folder) / "home")
        presets = arguments.presets or preset_ids()[:3]
        with live_app.serving(home) as app:
            rows = measure(app, presets, days)
    print(json.dumps(rows, indent=2))
    slow = any(float(str(row["seconds"])) > arguments.most_seconds for row in rows)
    return int(slow or any(int(str(row["trades"])) < arguments.least_trades for row in rows))


def copy_of(home: Path, target: Path) -> Path:
    """The market store of a home in another place, without results, caches and database."""
    shutil.copytree(home / "market", target / "market")
    return target


def preset_ids() -> list[str]:
    """Presets that need bars alone, in the order of the list: they run on every home."""
    return [
        key for key, preset in PRESETS.items() if not any(check(text).items for text in formulas_of(preset.strategy))
    ]


def formulas_of(strategy: Strategy) -> list[str]:
    """What the strategy buys and ranks by."""
    return [rule.formula for rule in strategy.entry.rules] + [part.formula for part in strategy.ranking.factors]


if __name__ == "__main__":
    raise SystemExit(main())
