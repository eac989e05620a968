"""What a person does, in real Chromium: fresh home, preset, run, chart, link."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import live_app
import pytest
from playwright.sync_api import Browser, Page, expect

from stocklab.ui.result.sections import SECTIONS

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "",
    "builder",
    "company",
    "sweeps",
    "results",
    "strategies",
    "factors",
    "news",
    "watch",
    "community",
    "alerts",
    "data",
    "system",
)
RUN_SECONDS = 120
HANGUL = re.compile("[가-힣]")
EQUITY = ".st-key-chart_equity .js-plotly-plot .main-svg"


def run_preset(page: Page) -> str:
    """Run the first preset from the home page; the address of its result."""
    page.locator("[class*=st-key-run_] button").first.click()
    expect(page).to_have_url(re.compile(r"/results\?.*run="), timeout=RUN_SECONDS * 1e3)
    expect(page.locator(EQUITY).first).to_be_visible(timeout=RUN_SECONDS * 1e3)
    live_app.settled(page)
    return page.url


def figures(page: Page) -> list[str]:
    """The headline figures as shown."""
    return page.locator("[data-testid=stMetricValue]").all_inner_texts()


@pytest.fixture(scope="session")
def result_url(live: live_app.LiveApp) -> str:
    """A finished run, without a browser: its deep link."""
    presets = json.loads(live_app.command(live.home, "presets", "list", "--json"))
    out = live.home.parent / "exported"
    arguments = ("--start", "2018-01-02", "--end", "2024-12-30", "--out", str(out))
    live_app.command(live.home, "backtest", presets[0]["id"], *arguments)
    return f"/results?run={json.loads((out / 'run.json').read_text(encoding='utf-8'))['run_id']}"


def test_from_a_fresh_home_to_a_chart_and_its_link(visitor: Callable[..., Page], live: live_app.LiveApp):
    page = visitor("/")
    expect(page.locator("h1").first).to_have_text(HANGUL)
    url = run_preset(page)
    shown = figures(page)
    assert len(shown) >= 6
    page.screenshot(path=str(live.home.parent / "result.png"))

    other = visitor(url.removeprefix(live.url))
    expect(other.locator(EQUITY).first).to_be_visible()
    assert figures(other) == shown


def test_a_preset_is_changed_in_the_builder_and_run(visitor: Callable[..., Page]):
    page = visitor("/")
    page.locator("[class*=st-key-open_] button").nth(1).click()
    expect(page).to_have_url(re.compile("/builder"))
    live_app.settled(page)
    expect(page.locator(".st-key-matches")).to_be_visible()
    name = page.locator(".st-key-builder_toolbar input").first
    name.fill("나의 첫 전략")
    name.press("Enter")
    live_app.settled(page)
    page.locator(".st-key-run_backtest button").click()
    expect(page.locator(EQUITY).first).to_be_visible(timeout=RUN_SECONDS * 1e3)
    expect(page.locator("h1").first).to_have_text("나의 첫 전략")


def test_a_sweep_from_the_builder_to_its_map_and_a_variant(visitor: Callable[..., Page]):
    page = visitor("/")
    page.locator("[class*=st-key-open_] button").nth(1).click()
    expect(page).to_have_url(re.compile("/builder"))
    live_app.settled(page)
    page.locator(".st-key-builder_toolbar").get_by_text("숫자 바꿔 보기").click()
    expect(page).to_have_url(re.compile("/sweeps"))
    live_app.settled(page)
    expect(page.get_by_text(re.compile("^변형 [0-9,]+개")).first).to_be_visible()
    page.locator(".st-key-start_sweep button").click()
    expect(page).to_have_url(re.compile("sweep="), timeout=RUN_SECONDS * 1e3)
    expect(page.locator(".st-key-chart_sweep_map .js-plotly-plot .main-svg").first).to_be_visible()
    live_app.settled(page)
    expect(page.locator(".st-key-sweep_plateau")).to_be_visible()

    other = visitor(f"/{page.url.split('/')[-1]}&lang=en", width=390, height=844)
    expect(other.get_by_text(re.compile("variants of this idea were tried")).first).to_be_visible()
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".st-key-sweep_run_best button").click()
    expect(page.locator(EQUITY).first).to_be_visible(timeout=RUN_SECONDS * 1e3)


def test_english_is_one_click_away_and_part_of_the_link(visitor: Callable[..., Page]):
    page = visitor("/")
    korean = page.locator("h1").first.inner_text()
    page.get_by_text("English", exact=True).click()
    expect(page.locator("h1").first).not_to_have_text(korean)
    live_app.settled(page)
    assert not HANGUL.search(page.locator("h1").first.inner_text())
    expect(page.get_by_text("Demo data (synthetic)").first).to_be_visible()
    expect(page).to_have_url(re.compile("lang=en"))

    other = visitor("/data?lang=en")
    expect(other.locator("h1").first).to_have_text("Data")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_and_shows_no_fault(
    visitor: Callable[..., Page], live: live_app.LiveApp, result_url: str, width: int
):
    page = visitor("/", width=width, height=844)
    for path in (*(f"/{name}" for name in PAGES), result_url):
        page.goto(live.url + path)
        live_app.settled(page)
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        expect(page.locator("h1").first).to_be_visible()


def test_all_sections_of_a_result_open(visitor: Callable[..., Page], result_url: str):
    page = visitor(result_url)
    sections = page.locator(".st-key-result_section button")
    for place in range(sections.count()):
        sections.nth(place).click()
        live_app.settled(page)
        expect(page.locator("[data-testid=stException], [data-testid=stAlertContentError]")).to_have_count(0)
    assert sections.count() == len(SECTIONS)


def test_a_trade_opens_its_candles_and_says_why(visitor: Callable[..., Page], result_url: str):
    page = visitor(f"{result_url}&result_section=trades")
    grid = page.locator("[data-testid=stDataFrame]").first
    expect(grid).to_be_visible()
    grid.scroll_into_view_if_needed()
    place = grid.bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + 15, place["y"] + 1.5 * 35)  # the box before the first row; rows are 35 px tall
    expect(page).to_have_url(re.compile(r"result_section=explain&symbol=\w+&date=\d{4}-\d\d-\d\d"))
    chart = page.locator(".st-key-explain_candles .js-plotly-plot")
    expect(chart.locator(".main-svg").first).to_be_visible()
    expect(chart.locator(".scatterlayer .point").first).to_be_attached()
    answer = page.locator(".st-key-explain_answer")
    expect(answer).to_contain_text(re.compile("주를 [0-9,]+원에 매(수|도)했습니다"))
    live_app.settled(page)

    other = visitor(f"/{page.url.split('/')[-1]}&lang=en", width=390, height=844)
    expect(other.locator(".st-key-explain_answer")).to_contain_text(re.compile("(Bought|Sold) [0-9,]+ share"))
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    other.locator(".st-key-explain_step_0 button").click()
    expect(other).not_to_have_url(page.url)
    live_app.settled(other)
    expect(other.locator("[data-testid=stException]")).to_have_count(0)


def test_a_company_is_found_by_name_and_its_parts_open(visitor: Callable[..., Page]):
    candles = ".st-key-company_candles .js-plotly-plot .main-svg"
    page = visitor("/company")
    page.locator(".st-key-company_beginnings button").first.click()
    expect(page).to_have_url(re.compile(r"/company\?.*symbol=\w+"), timeout=RUN_SECONDS * 1e3)
    page.locator(candles).first.wait_for(state="visible")
    name = page.locator("h3").first.inner_text()
    page.locator(".st-key-company_section_choice button").nth(1).click()
    page.locator("[data-testid=stDataFrame]").first.wait_for(state="visible")
    expect(page).to_have_url(re.compile("company_section=reports"))
    live_app.settled(page)

    page.locator(".st-key-company_symbol input").first.click()
    page.keyboard.type("KRW-BTC")
    page.get_by_role("option", name="KRW-BTC").first.click()
    page.locator(candles).first.wait_for(state="visible")
    expect(page).to_have_url(re.compile("symbol=KRW-BTC"))
    expect(page.locator("h3").first).not_to_have_text(name)
    live_app.settled(page)

    other = visitor(f"/{page.url.split('/')[-1]}&lang=en", width=390, height=844)
    other.locator(candles).first.wait_for(state="visible")
    assert other.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_error_of_the_browser_reaches_the_log(visitor: Callable[..., Page], live: live_app.LiveApp):
    page = visitor("/system?lang=en")
    page.evaluate("dispatchEvent(new ErrorEvent('error', {message: 'probe of a test', filename: '/x.js', lineno: 3}))")
    until = time.monotonic() + 20
    while "probe of a test" not in (text := live.log.read_text(encoding="utf-8")):
        assert time.monotonic() < until, text[-2000:]
        time.sleep(0.1)
    assert re.search(r"browser_error.*probe of a test", text)


def test_a_link_to_nothing_says_so_in_the_visitors_language(visitor: Callable[..., Page]):
    page = visitor("/results?run=0123456789abcdef")
    expect(page.locator("[data-testid=stAlert]").first).to_have_text(HANGUL)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_a_second_server_on_the_same_home_shows_the_same_result(
    browser: Browser, live: live_app.LiveApp, result_url: str
):
    with live_app.serving(live.home) as again:
        page = browser.new_page()
        page.goto(again.url + result_url)
        live_app.settled(page)
        expect(page.locator(EQUITY).first).to_be_visible()
        page.close()


def test_answers_carry_the_security_headers(live: live_app.LiveApp):
    with urllib.request.urlopen(f"{live.url}/builder") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_load_script_speaks_the_servers_language(live: live_app.LiveApp, result_url: str):
    page, _, query = result_url.lstrip("/").partition("?")
    script = [sys.executable, str(ROOT / "benchmarks/load.py"), "--url", live.url, "--page", page, "--query", query]
    bounds = ["--users", "3", "--think", "0.2", "--seconds", "2", "--warmup", "2"]
    done = subprocess.run(
        [*script, *bounds, "--expect", "plotly_chart", "metric"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["runs"] >= 3
