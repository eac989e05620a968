"""Every page in its empty, loaded and error state, in both languages, without a browser."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.strategy import PRESETS

HANGUL = re.compile("[가-힣]")
PAGES = ("home", "builder", "results", "strategies", "factors", "data")


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
    if name in ("home", "builder"):
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
    assert {part.key for part in page.button} >= {f"run_{name}" for name in PRESETS}


def test_an_unknown_run_is_an_error_in_words(pages):
    page = pages("results", run="0123456789abcdef")
    assert "이 결과는 여기에 저장되어 있지 않습니다" in page.error[0].value
    assert not page.exception
    assert pages("results", run="../../etc/passwd").error


def test_an_unknown_job_is_an_error_in_words(pages):
    page = pages("results", job="nothing")
    assert "작업을 시작하거나 찾을 수 없습니다" in page.error[0].value


def test_the_catalogue_has_every_factor_and_finds_by_name(pages):
    page = pages("factors")
    assert page.dataframe[0].value.shape[0] == 306
    page.text_input(key="factor_search").input("momentum 12-1").run()
    assert "mom_12_1" in page.dataframe[0].value["id"].tolist()
    page.text_input(key="factor_search").input("no such factor").run()
    assert "맞는 팩터가 없습니다" in said(page)


def test_a_factor_that_needs_statements_says_so(pages):
    page = pages("factors", factor="per")
    assert "다음 버전" in page.warning[0].value
    assert page.code[0].value == "mcap_all/pos(ttm(net_income_parent))"
    assert not pages("factors", factor="mom_12_1").warning


def test_the_data_page_counts_symbols_by_market(pages):
    page = pages("data")
    shown = {part.label: part.value for part in page.metric}
    assert int(shown["KOSPI"]) + int(shown["KOSDAQ"]) + int(shown["KONEX"]) == 120
    assert any("stocklab data import" in part.value for part in page.code)


def test_the_language_stays_when_the_page_changes(pages):
    page = pages(lang="en")
    page.button(key="open_momentum_12_1").click().run()
    assert page.title[0].value == "Strategy builder"
    assert page.session_state["builder"]["document"]["name"] == PRESETS["momentum_12_1"].name_en
