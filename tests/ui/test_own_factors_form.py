"""My factors in the builder: written, shown at work on one stock, renamed with every use, offered to rules and ranking."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.strategy import parse_document
from stocklab.ui.builder.own_preview import value_text


def document(page: AppTest) -> dict:
    return page.session_state["builder"]["document"]


def section(page: AppTest, name: str) -> AppTest:
    return page.button_group(key="builder_section").set_value(name).run()


@pytest.fixture
def page(pages) -> AppTest:
    """The builder with one own factor, shown."""
    opened = section(pages("builder"), "factors")
    return opened.button(key="add_own_factor").click().run()


def metric(page: AppTest) -> str:
    (shown,) = [part.value for part in page.metric]
    return shown


def test_a_factor_is_named_previewed_and_used_in_rule_and_ranking(page, lab):
    page.text_input(key="own_0_id").input("calm_climb").run()
    page.text_input(key="field_factors_0_name").input("잔잔한 상승").run()
    page.text_area(key="own_0_formula").input("100*변화율_기간({종가},{3개월})/100").run()
    page.selectbox(key="field_factors_0_unit").set_value("%").run()
    assert document(page)["factors"][0] == {
        "id": "calm_climb",
        "name": "잔잔한 상승",
        "formula": "100*growth(close,lag(close,63))/100",
        "unit": "%",
        "higher_is_better": 0,
        "note": "",
    }
    panel = lab.panel()
    symbol = page.selectbox(key="own_preview_symbol").value
    close = panel.fields["close"][:, panel.column(symbol)].astype(float)
    assert metric(page) == f"{100 * (close[-1] / close[-64] - 1):,.2f}%"

    page.selectbox(key="field_factors_0_higher_is_better").set_value(-1).run()
    section(page, "entry").button(key="add_entry").click().run()
    page.selectbox(key="rule_entry_A_left_factor").set_value("calm_climb").run()
    page.button_group(key="rule_entry_A_right").set_value("value").run()
    assert document(page)["entry"]["rules"][0]["formula"] == "calm_climb>0"
    assert any("'잔잔한 상승'이 0%보다 높다" in part.value for part in page.markdown)
    section(page, "ranking").button(key="add_ranking").click().run()
    page.selectbox(key="ranking_0_factor").set_value("calm_climb").run()
    assert document(page)["ranking"]["factors"][0]["direction"] == "low"
    assert any("조건에 맞습니다" in part.label for part in page.expander), "matches are counted with it"
    assert not page.exception
    assert parse_document(document(page)).factors[0].name == "잔잔한 상승"


def test_a_fault_shows_its_character_and_the_nearest_name(page):
    page.text_area(key="own_0_formula").input("close/smaa(close,20)").run()
    assert any(part.value == "close/smaa(close,20)\n      ^^^^" for part in page.code)
    assert any("sma" in part.value and "알 수 없" in part.value for part in page.caption)
    page.text_area(key="own_0_formula").input("revenue").run()
    assert any(part.value == "revenue\n^^^^^^^" for part in page.code)
    assert not page.metric, "nothing to show while there is a fault"
    assert page.button(key="run_backtest").disabled


def test_renaming_follows_every_use_and_names_of_the_language_are_refused(page):
    page.button(key="add_own_factor").click().run()
    page.text_area(key="own_1_formula").input("my_factor_1*2").run()
    section(page, "entry").button(key="add_entry").click().run()
    page.selectbox(key="rule_entry_A_left_factor").set_value("my_factor_1").run()
    section(page, "factors").text_input(key="own_0_id").input("gap").run()
    assert document(page)["factors"][1]["formula"] == "gap*2"
    assert document(page)["entry"]["rules"][0]["formula"].startswith("gap>")
    page.text_input(key="own_0_id").input("roe").run()
    assert document(page)["factors"][0]["id"] == "gap"
    assert any("이미 쓰이는 이름" in part.value for part in page.caption)
    page.button(key="own_1_up").click().run()
    assert [factor["id"] for factor in document(page)["factors"]] == ["my_factor_2", "gap"]
    assert any("위에 있는" in part.value for part in page.caption)
    page.button(key="own_1_remove").click().run()
    assert any("gap" in part.value for part in page.caption), "its use is a fault now"


def test_a_rank_is_previewed_among_all_stocks(page):
    page.text_area(key="own_0_formula").input("xpct(close)").run()
    assert 0 <= float(metric(page)) <= 1
    assert any("모든 종목과 비교" in part.value for part in page.caption)


def test_help_lists_every_function(page):
    page.session_state["language_help"] = True
    page.run()
    assert not page.exception
    listed = [frame.value for frame in page.dataframe if "use" in frame.value.columns]
    assert listed
    assert {"sma(x,n[,minobs=m])", "qlag(q,k)", "xpct(x)"} <= set(listed[0]["use"])


def test_the_statement_mode_is_chosen_and_said(page):
    section(page, "period").selectbox(key="field_statements").set_value("restated").run()
    assert document(page)["statements"] == "restated"
    assert any("사후 정보" in part.value for part in page.warning)
    assert any("사후 정보가 섞인다" in part.value for part in page.markdown)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(float("nan"), "x", "–"), (0.01234, "ratio", "0.01234"), (12.5, "x", "12.50 times"), (3.0, "days", "3 days")],
)
def test_values_are_shown_in_their_unit(value: float, unit: str, shown: str):
    from stocklab.ui.text import speaking

    with speaking("en"):
        assert value_text(value, unit, "en") == shown
