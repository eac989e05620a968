"""The form, the text and the document are one thing; edits of either show in the other."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.strategy import PRESETS, parse_document
from stocklab.strategy.rows import Direction, Function, Operand, Operator, Row
from stocklab.ui.builder import draft, operands


def document(page: AppTest) -> dict:
    return page.session_state["builder"]["document"]


def section(page: AppTest, name: str) -> AppTest:
    return page.button_group(key="builder_section").set_value(name).run()


def with_rule(page: AppTest) -> AppTest:
    return page.button(key="add_entry").click().run()


def test_a_new_strategy_is_valid_and_counts_matches(pages):
    page = pages("builder")
    assert parse_document(json.dumps(document(page))).name == "새 전략"
    assert any("조건에 맞습니다" in part.label for part in page.expander)


def test_a_row_is_built_without_code(pages):
    page = with_rule(pages("builder"))
    assert document(page)["entry"]["rules"] == [{"id": "A", "formula": "close>sma(close,60)", "note": ""}]
    page.selectbox(key="rule_entry_A_left_factor").set_value("rsi_14").run()
    page.button_group(key="rule_entry_A_right").set_value("value").run()
    page.selectbox(key="rule_entry_A_operator").set_value(Operator.BETWEEN).run()
    page.number_input(key="rule_entry_A_low").set_value(30.0).run()
    page.number_input(key="rule_entry_A_high").set_value(45.0).run()
    assert document(page)["entry"]["rules"][0]["formula"] == "(rsi_14>=30)&(rsi_14<=45)"
    page.selectbox(key="rule_entry_A_left_function").set_value(Function.RANK).run()
    page.selectbox(key="rule_entry_A_left_direction").set_value(Direction.ASCENDING).run()
    page.selectbox(key="rule_entry_A_operator").set_value(Operator.NOT_EQUAL).run()
    assert document(page)["entry"]["rules"][0]["formula"] == "xrank(rsi_14)!=30"
    assert not page.exception


def test_rows_are_copied_removed_and_joined_by_logic(pages):
    page = with_rule(pages("builder"))
    page.button(key="entry_A_copy").click().run()
    page = with_rule(page)
    assert [rule["id"] for rule in document(page)["entry"]["rules"]] == ["A", "B", "C"]
    assert page.text_input(key="logic_entry").value == "A and B and C"
    page.text_input(key="logic_entry").input("A and (B or not C)").run()
    assert document(page)["entry"]["logic"] == "A and (B or not C)"
    page.button(key="entry_C_remove").click().run()
    assert page.session_state["builder"]["checked"][1] is None, "the logic names a rule that is gone"
    assert page.button(key="run_backtest").disabled
    page.button(key="logic_entry_reset").click().run()
    assert document(page)["entry"]["logic"] is None
    assert not page.button(key="run_backtest").disabled


def test_a_formula_takes_korean_names_and_shows_its_fault(pages):
    page = pages("builder")
    page.button(key="add_formula_entry").click().run()
    page.text_area(key="formula_entry_A").input("이동평균({종가},{1개월}) > 시가").run()
    assert document(page)["entry"]["rules"][0]["formula"] == "sma(close,21)>open"
    page.text_area(key="formula_entry_A").input("clsoe > 3").run()
    assert any(part.value.endswith("^^^^^") for part in page.code)
    assert page.button(key="run_backtest").disabled


def test_text_edits_flow_into_the_form_and_bad_text_is_kept_aside(pages):
    page = pages("builder")
    page.button_group(key="document_view").set_value("json").run()
    edited = json.loads(page.text_area(key="document_text").value)
    edited["sizing"]["max_holdings"] = 7
    page.text_area(key="document_text").input(json.dumps(edited)).run()
    section(page, "sizing")
    assert page.number_input(key="field_sizing_max_holdings").value == 7
    page.text_area(key="document_text").input('{"name": "x", "sizin": {}}').run()
    assert any("sizin" in part.value for part in page.markdown)
    assert document(page)["sizing"]["max_holdings"] == 7
    page.button(key="discard_text").click().run()
    assert json.loads(page.text_area(key="document_text").value)["sizing"]["max_holdings"] == 7


def test_a_percent_field_stores_the_fraction_it_shows(pages):
    page = section(pages("builder"), "exit")
    page.toggle(key="field_exit_stop_on").set_value(True).run()
    page.number_input(key="field_exit_stop_level").set_value(7.0).run()
    assert document(page)["exit"]["stop"] == {"level": 0.07, "basis": "intraday"}
    page.toggle(key="field_exit_stop_on").set_value(False).run()
    assert document(page)["exit"]["stop"] is None


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_no_section_of_a_preset_changes_it_by_being_looked_at(pages, preset: str):
    page = pages("builder")
    page.selectbox(key="preset_choice").set_value(preset).run()
    page.button(key="load_preset").click().run()
    before = draft.full(PRESETS[preset].strategy) | {"name": PRESETS[preset].name_ko}
    for name in ("entry", "exit", "universe", "ranking", "sizing", "execution", "rebalancing", "costs", "period"):
        section(page, name)
        assert not page.exception, name
    assert document(page) == before
    section(page, "market_filter")
    assert document(page) == before


def test_save_then_open_then_save_again_makes_versions(pages, lab):
    page = pages("builder")
    page.text_input(key="field_name").input("내 첫 전략").run()
    page.button(key="save_new").click().run()
    page.text_input(key="field_name").input("내 첫 전략, 고침").run()
    page.button(key="save_version").click().run()
    saved = lab.strategies.list(lab.owner_id)[0]
    assert (saved.name, saved.version) == ("내 첫 전략, 고침", 2)

    listed = pages("strategies")
    assert any("내 첫 전략, 고침" in part.value for part in listed.markdown)
    listed.button(key=f"copy_{saved.id}").click().run()
    assert len(lab.strategies.list(lab.owner_id)) == 2
    listed.text_input(key="strategies_search").input("nowhere").run()
    assert any("검색 결과가 없습니다" in part.value for part in listed.markdown)


def test_operands_always_become_valid():
    row = Row(left=Operand(factor="close"), operator=Operator.GREATER, value=5.0)
    ranged = operands.with_operator(row, Operator.BETWEEN)
    assert (ranged.low, ranged.high) == (5.0, 15.0)
    assert operands.with_operator(ranged, Operator.LESS).value == 5.0
    against = operands.with_right_factor(ranged, times=1.0)
    assert (against.operator, against.times, against.right) == (
        Operator.GREATER,
        None,
        Operand(factor="close", function=Function.AVERAGE, argument=20),
    )
    assert operands.operand("per", Function.RANK, 30).argument is Direction.DESCENDING
    assert operands.operand("per", Function.VALUE, 30).argument is None
