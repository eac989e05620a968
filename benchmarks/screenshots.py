"""Photograph every page: Korean and English, wide and at 390 px, on demo data.

.venv/bin/python benchmarks/screenshots.py --out build/screenshots
.venv/bin/python benchmarks/screenshots.py --people --out build/screenshots/people
"""

from __future__ import annotations

import argparse
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import live_app
import numpy as np
from browser import CHART, PATIENCE_MS
from people_screenshots import photograph_people
from pictures import WIDTHS, whole_page
from playwright.sync_api import Browser, Page, expect

from stocklab.data import Store, open_panel
from stocklab.market.panel import KIND_CODES
from stocklab.portfolios import Lab
from stocklab.ranking import Boards, mark_publications
from stocklab.settings import Settings
from stocklab.sharing import Publications, Wish
from stocklab.strategy import PRESETS as PRESET_TABLE

PAGES = (
    *("home", "builder", "screener", "company", "sweeps", "results", "strategies", "shared", "ranking"),
    *("factors", "news", "watch", "community", "data", "system", "start", "help"),
)
PRESETS = ("momentum_12_1", "moving_average_cross", "low_volatility")


def companies(home: Path) -> dict[str, str]:
    """Addresses of the company page: its sections, and the states a reader may meet."""
    panel = open_panel(Store(home))
    last = panel.n_sessions - 1
    size = np.where(panel.fields["listed"][last], np.nan_to_num(panel.fields["mcap"][last]), -1.0)
    large = panel.symbols[int(np.argmax(size))]
    gone = panel.symbols[int(np.argmax(~np.isnat(panel.instruments.delisted_on)))]
    fund = panel.symbols[int(np.argmax(panel.instruments.kinds == KIND_CODES["etf"]))]
    sections = ("chart", "reports", "ratios", "peers", "records", "disclosures")
    found = {f"company-{name}": f"company?symbol={large}&company_section={name}" for name in sections}
    return found | {
        "company-delisted": f"company?symbol={gone}",
        "company-fund": f"company?symbol={fund}&company_section=reports",
        "company-coin": "company?symbol=KRW-BTC",
        "company-unknown": "company?symbol=999999",
    }


def run_presets(browser: Browser, app: live_app.LiveApp) -> list[str]:
    """Run some presets from the home page, so that lists are not empty; the ids of the runs."""
    runs = []
    for preset in PRESETS:
        page = browser.new_page()
        page.goto(f"{app.url}/?lang=en")
        page.locator(f".st-key-run_{preset} button").click()
        page.locator(CHART).first.wait_for(state="visible", timeout=PATIENCE_MS)
        expect(page).to_have_url(re.compile("run="))
        runs.append(page.url.split("run=")[1].split("&")[0])
        page.close()
    return runs


def strategies_open(page: Page, what: str) -> None:
    """Unfold the history of the first saved strategy, or open its share dialog."""
    card = page.locator("[class*='st-key-strategy_']").first
    if what == "details":
        card.locator("summary").first.click()
        card.locator("[role=tab]").nth(1).click()
    else:
        card.locator("[class*='st-key-share_'] button").first.click()
        page.locator(".st-key-share_confirm").wait_for(timeout=PATIENCE_MS)
    live_app.settled(page)


def publish(home: Path) -> dict[str, str]:
    """Share the runs of the presets, one of them sealed and one withdrawn; addresses of what then can be seen."""
    lab = Lab.open(Settings(home=home))
    boards = Boards(lab.database)
    publications = Publications(lab.database, lab.results, followers=(boards,))
    made = []
    for number, preset in enumerate(PRESETS):
        saved = lab.strategies.save(lab.owner_id, PRESET_TABLE[preset].strategy)
        wish = Wish(strategy_id=saved.id, hides_rules=number == 1, description="A preset, shared to be photographed.")
        made.append(publications.publish(lab.owner_id, wish, now=datetime(2026, 6, 1, 12, tzinfo=UTC)))
    lab.strategies.organize(lab.owner_id, saved.id, folder="실전", tags=["저변동성"])
    changed = saved.strategy().model_copy(update={"name": "저변동성 2", "benchmark": "KOSDAQ"})
    lab.strategies.save(lab.owner_id, changed, strategy_id=saved.id)
    mark_publications(lab.database, lab.store, lab.results, threads=1, factor_cache_mb=500)
    publications.withdraw(lab.owner_id, made[2])
    lab.close()
    names = ("open", "sealed", "grave")
    found = {f"shared-{name}": f"shared?publication={one}" for name, one in zip(names, made, strict=True)}
    boards_shown = ("deflated_sharpe", "risk_adjusted", "backtest")
    return found | {f"ranking-{name}": f"ranking?board={name}" for name in boards_shown}


def photograph(browser: Browser, app: live_app.LiveApp, out: Path, only: str = "") -> int:
    """All pages; how many pictures were made."""
    out.mkdir(parents=True, exist_ok=True)
    runs = run_presets(browser, app)
    run_id = runs[0]
    sections = (
        *("overview", "holdings", "trades", "orders", "stocks", "explain", "cash", "costs", "trust", "settings"),
    )
    published = publish(app.home)
    addresses = {name: name if name != "home" else "" for name in PAGES}
    addresses["compare"] = f"results?compare={','.join(runs)}"
    addresses["screener-answer"] = "screener?example=near_the_high"
    addresses |= {name: address for name, address in companies(app.home).items() if name.startswith(only)}
    addresses |= published
    addresses |= {f"factor-{name}": f"factors?factor={name}" for name in ("per", "f_score", "momentum_score")}
    addresses |= {
        f"data-{section}": f"data?section={section}" for section in ("coverage", "quality", "store", "import")
    }
    addresses |= {f"result-{section}": f"results?run={run_id}&result_section={section}" for section in sections}
    count = 0
    for language in ("ko", "en"):
        for label, (width, height) in WIDTHS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, locale="ko-KR")
            for name, address in addresses.items():
                if not name.startswith(only):
                    continue
                page.set_viewport_size({"width": width, "height": height})
                page.goto(f"{app.url}/{address}{'&' if '?' in address else '?'}lang={language}")
                live_app.settled(page)
                if name == "strategies":
                    for button in ("details", "share"):
                        strategies_open(page, button)
                        whole_page(page, out / f"strategies-{button}-{language}-{label}.png")
                        page.set_viewport_size({"width": width, "height": height})
                    page.keyboard.press("Escape")
                if name == "result-costs" and page.locator(".st-key-compute_capacity").count():
                    page.locator(".st-key-compute_capacity button").click()
                    page.locator(".st-key-chart_slippage .main-svg").first.wait_for(timeout=PATIENCE_MS)
                    live_app.settled(page)
                whole_page(page, out / f"{name}-{language}-{label}.png")
                count += 1
            page.set_viewport_size({"width": width, "height": height})
            page.goto(f"{app.url}/?lang={language}")
            page.locator(f".st-key-open_{PRESETS[1]} button").click()
            expect(page).to_have_url(re.compile("builder"))
            live_app.settled(page)
            whole_page(page, out / f"builder-filled-{language}-{label}.png")
            count += 1
            page.close()
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    page.goto(f"{app.url}/results?run={run_id}&lang=en")
    page.locator(CHART).first.wait_for(state="visible")
    live_app.settled(page)
    page.wait_for_timeout(700)
    page.screenshot(path=str(out / "readme.png"))
    return count + 1


def main(given: list[str] | None = None) -> int:
    """Make a home with demo data and some runs, and photograph it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--only", default="", help="pages whose name begins so")
    parser.add_argument("--symbols", type=int, default=400, help="size of the demo market")
    parser.add_argument("--people", action="store_true", help="a home with accounts instead; --only is a pattern then")
    arguments = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.people:
            with live_app.chromium() as browser:
                made = photograph_people(
                    browser, Path(folder), arguments.out, arguments.only, symbols=arguments.symbols
                )
            print(f"{made} pictures in {arguments.out}")
            return 0
        home = Path(folder) / "home"
        with live_app.serving(home, demo_symbols=arguments.symbols) as app, live_app.chromium() as browser:
            print(f"{photograph(browser, app, arguments.out, arguments.only)} pictures in {arguments.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
