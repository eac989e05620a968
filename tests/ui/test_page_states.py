"""Every page in its empty, loaded and error state, in both languages, without a browser."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.backtest import Lack
from stocklab.strategy import PRESETS
from stocklab.ui.lacks import lack_sentences, missing_names
from stocklab.ui.preset_cards import FEATURED, STYLES
from stocklab.ui.text import speaking

HANGUL = re.compile("[가-힣]")
PAGES = (
    "home",
    "builder",
    "screener",
    "company",
    "results",
    "strategies",
    "factors",
    "data",
    "system",
    "start",
    "help",
    "alerts",
    "account",
    "admin",
    "shared",
    "ranking",
    "brokers",
    "trading",
    "orders",
    "positions",
    "risk",
    "factors",
    "data",
    "system",
)


def said(page: AppTest) -> str:
    """All text of a page that is not inside a widget."""
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(page, kind))


def button(page: AppTest, key: str):
    return next(part for part in page.button if part.key == key)


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_home_says_what_to_do(empty_pages, name: str):
    page = empty_pages(name)
    assert not page.exception
    assert [part.value for part in page.error] == []
    if name in ("home", "builder", "screener", "company"):
        assert any("stocklab demo" in part.value for part in page.code)
    if name == "data":
        assert "아직 시장 데이터가 없습니다" in said(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_speaks_one_language(pages, name: str):
    korean, english = pages(name), pages(name, lang="en")
    assert not korean.exception
    assert not english.exception
    assert HANGUL.search(korean.title[0].value)
    assert not HANGUL.search(english.title[0].value)
    assert "데모 데이터(합성)" in said(korean)
    assert "Demo data (synthetic)" in said(english)


def test_home_shows_the_data_and_every_preset(pages):
    page = pages()
    shown = {part.label: part.value for part in page.metric}
    assert shown["종목 수"] == "120"
    assert shown["마지막 거래일"] == "2026-11-20"
    assert _runs(page) == {f"run_{name}" for name in FEATURED}
    page.button(key="more_presets").click().run()
    assert _runs(page) == {f"run_{name}" for name in PRESETS}


def _runs(page: AppTest) -> set[str]:
    return {str(part.key) for part in page.button if str(part.key).startswith("run_")}


def test_presets_are_found_by_style_horizon_risk_and_word(pages):
    page = pages(lang="en")
    page.button_group(key="preset_style").set_value("dividend").run()
    assert _runs(page) == {"run_dividend_large_yield"}
    page.button_group(key="preset_style").set_value(None).run()
    page.selectbox(key="preset_horizon").set_value("short").run()
    assert _runs(page) == {f"run_{key}" for key, preset in PRESETS.items() if preset.tags.horizon == "short"}
    page.selectbox(key="preset_horizon").set_value(None).run()
    page.selectbox(key="preset_risk").set_value("low").run()
    page.text_input(key="preset_search").input("그레이엄").run()  # either language finds it
    assert _runs(page) == {"run_graham_defensive"}
    page.text_input(key="preset_search").input("nothing like it").run()
    assert "No preset fits." in said(page)


def test_every_style_is_offered_and_every_preset_has_one():
    offered = {tag for _, tags in STYLES.values() for tag in tags}
    assert all(offered & set(preset.tags.style) for preset in PRESETS.values())


def test_a_preset_shows_the_rules_that_run_and_its_source(pages):
    page = pages(lang="en")
    page.button(key="rules_piotroski_f_score").click().run()
    shown = said(page)
    assert "Piotroski F-score is at least 8." in shown
    assert "Journal of Accounting Research 38" in shown
    assert "How it differs from its source" in shown


def test_what_the_data_lack_is_named_in_both_languages():
    lack = Lack(part="entry", rule="B", formula="per<10", missing=("mcap", "net_income_parent"), never=True)
    part = Lack(part="ranking", rule="", formula="coalesce(roe,close)", missing=("equity_parent",), never=False)
    with speaking("ko"):
        assert lack_sentences([lack])[0].startswith("조건 B: 자료에 없는 값(시가총액, 지배주주순이익)이 필요해")
    with speaking("en"):
        assert lack_sentences([lack, part]) == [
            "Condition B can never hold: it needs market cap, net profit of the parent's owners, which the data lack.",
            "The ranking by the first known of return on equity (TTM), close is computed without equity of the parent's owners, "
            "which the data lack.",
        ]
        assert missing_names(("mcap", "cfo", "dps"), most=2) == "market cap, operating cash flow and 1 more"


def test_an_unknown_run_is_an_error_in_words(pages):
    page = pages("results", run="0123456789abcdef")
    assert "이 결과는 여기에 저장되어 있지 않습니다" in page.error[0].value
    assert not page.exception
    assert pages("results", run="../../etc/passwd").error


def test_an_unknown_job_is_an_error_in_words(pages):
    page = pages("results", job="nothing")
    assert "그런 것이 없습니다" in page.error[0].value


def test_the_data_page_counts_symbols_by_market(pages):
    page = pages("data", section="store")
    shown = {part.label: part.value for part in page.metric}
    assert int(shown["KOSPI"]) + int(shown["KOSDAQ"]) + int(shown["KONEX"]) == 120


def test_the_language_stays_when_the_page_changes(pages):
    page = pages(lang="en")
    page.button(key="open_momentum_12_1").click().run()
    assert page.title[0].value == "Strategy builder"
    assert page.session_state["builder"]["document"]["name"] == PRESETS["momentum_12_1"].name_en
