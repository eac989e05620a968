"""The factor pages: search in both languages, filters, one factor with its value taken apart, links that can be shared."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.factors import CATALOGUE
from stocklab.factors.explain_value import explain_value
from stocklab.portfolios import Lab
from stocklab.ui import catalogue
from stocklab.ui.factors.tree import tree_html
from stocklab.ui.text import speaking

HANGUL = re.compile("[가-힣]")


def ids(page: AppTest) -> list[str]:
    """Factors in the table."""
    return page.dataframe[0].value["id"].tolist()


def html_of(page: AppTest) -> str:
    return "\n".join(str(part.proto.body) for part in page.get("html"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("momentum 12-1", "mom_12_1"),
        ("모멘텀 12-1", "mom_12_1"),
        ("피오트로스키", "f_score"),
        ("Piotroski", "f_score"),
        ("매출액성장률", "revenue_growth_1y"),  # blanks do not count
        ("등락률", "ret_1d"),  # an alias of docs/factors.md, section 13
        ("ev_ebitda", "ev_ebitda"),
        ("Basu 1977", "per"),
    ],
)
def test_a_factor_is_found_by_name_alias_id_and_source(typed: str, found: str):
    assert found in [factor.id for factor in catalogue.search(typed)]


def test_the_catalogue_is_whole_and_filters_narrow_it(pages):
    page = pages("factors", lang="en")
    assert ids(page) == list(CATALOGUE)
    page.selectbox(key="factor_category").set_value("value").run()
    assert len(ids(page)) == 36  # docs/factors.md, section 10
    page.selectbox(key="factor_unit_choice").set_value("%").run()
    assert {CATALOGUE[name].unit for name in ids(page)} == {"%"}
    page.selectbox(key="factor_type").set_value("TECHNICAL").run()
    assert not page.dataframe
    page.selectbox(key="factor_type").set_value("").run()
    page.text_input(key="factor_search").input("no such factor").run()
    assert any("No factor matches." in part.value for part in page.markdown)


def test_only_what_the_data_can_compute(pages):
    page = pages("factors")
    page.toggle(key="factor_computed").set_value(True).run()
    assert ids(page) == list(CATALOGUE)  # the demo market lacks nothing
    assert any("현재 데이터로 계산됨 306개" in part.value for part in page.markdown)


def test_without_data_the_formula_is_shown_and_nothing_is_claimed(empty_pages):
    page = empty_pages("factors", factor="roe", lang="en")
    assert not page.exception
    assert page.title[0].value == CATALOGUE["roe"].name_en
    assert page.code[0].value == CATALOGUE["roe"].formula
    assert any("stocklab demo" in part.value for part in page.code)
    assert any("nothing can be computed" in part.value for part in empty_pages("factors", lang="en").info)


@pytest.mark.parametrize("factor", ["per", "f_score", "rsi_14", "momentum_score", "golden_cross_20_60", "rs_rating"])
def test_a_factor_has_a_page_in_both_languages(pages, factor: str):
    korean, english = pages("factors", factor=factor), pages("factors", factor=factor, lang="en")
    for page, chosen in ((korean, CATALOGUE[factor].name_ko), (english, CATALOGUE[factor].name_en)):
        assert not page.exception
        assert not page.error
        assert page.title[0].value == chosen
        assert page.code[0].value == CATALOGUE[factor].formula
        assert "lab-tree" in html_of(page)
        assert len(page.get("plotly_chart")) == 3
    assert not HANGUL.search("\n".join(part.value for part in english.subheader))


def test_a_link_opens_a_stock_on_a_day_and_a_choice_becomes_the_link(pages, lab: Lab):
    panel = lab.panel()
    day = panel.sessions[-30].item()
    page = pages("factors", factor="roa", symbol="D00010", date=day.isoformat())
    assert page.selectbox(key="factor_symbol").value == "D00010"
    assert page.date_input(key="factor_day").value == day
    expected = explain_value("roa", panel, "D00010", panel.n_sessions - 30)
    assert f'title="{expected.value!r}"' in html_of(page)
    page.selectbox(key="factor_symbol").set_value(panel.symbols[3]).run()
    assert page.query_params["symbol"] == panel.symbols[3]
    page.button(key="factor_back").click().run()
    assert page.title[0].value == "팩터 사전"
    assert ids(page) == list(CATALOGUE)


def test_a_wrong_link_is_no_broken_page(pages):
    page = pages("factors", factor="roa", symbol="nothing", date="not a day")
    assert not page.exception
    assert pages("factors", factor="nothing").title[0].value == "팩터 사전"


def test_the_tree_shows_reports_by_quarter_and_escapes_names(lab: Lab):
    panel = lab.panel()
    found = explain_value("roe", panel, "D00010", panel.n_sessions - 1)
    with speaking("ko"):
        words = tree_html(found)
    assert words.count("<tr>") == 3 + 4 + 1 + 1  # heads; four quarters of profit, two balances
    assert "지배주주순이익" in words
    assert found.view is not None
    assert found.view.since.isoformat() in words
    with speaking("en"):
        assert not HANGUL.search(tree_html(found))


def test_the_builder_offers_every_factor_and_marks_what_the_data_lack(pages):
    with speaking("ko"):
        labels = catalogue.factor_labels()
        assert set(CATALOGUE) <= set(labels)
        assert set(catalogue.options()) >= set(CATALOGUE)
        assert labels["ret_1w"] == "수익률(1주) · Return, 1 week · ret_1w · 5일수익률 · ret_5d"
        marked = catalogue._labels("ko", (("per", ("mcap", "mcap_pref", "net_income_parent")),))
    assert marked["per"].startswith("PER(주가수익비율) ⊘ [데이터 없음: 시가총액, 우선주 시가총액 +1] · ")
