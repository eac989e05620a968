"""What works on the whole document: presets, saved strategies, files, ranges, the score; and the list of strategies."""

from __future__ import annotations

import json
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.strategy import PRESETS, dump
from stocklab.ui import navigation
from stocklab.ui.builder import draft


def editing(page: AppTest) -> dict:
    return page.session_state["builder"]


def section(page: AppTest, name: str) -> AppTest:
    return page.button_group(key="builder_section").set_value(name).run()


def test_a_file_is_taken_over_and_a_broken_one_is_refused(pages):
    page = pages("builder")
    good = dump(PRESETS["low_volatility"].strategy)
    page.file_uploader(key="import_file").set_value(("s.json", good.encode(), "application/json")).run()
    assert editing(page)["document"] == draft.full(PRESETS["low_volatility"].strategy)
    page.file_uploader(key="import_file").set_value(("s.json", b'{"nam": 1}', "application/json")).run()
    assert "nam" in page.error[0].value
    page.file_uploader(key="import_file").set_value(("s.json", b"\xff\xfe", "application/json")).run()
    assert "UTF-8" in page.error[0].value
    assert editing(page)["document"] == draft.full(PRESETS["low_volatility"].strategy)
    page.button(key="new_strategy").click().run()
    assert editing(page)["document"]["entry"]["rules"] == []


def test_a_saved_strategy_opens_with_its_name(pages, lab):
    saved = lab.strategies.save(lab.owner_id, PRESETS["momentum_12_1"].strategy)
    page = pages("builder")
    page.selectbox(key="open_choice").set_value(saved.id).run()
    page.button(key="open_saved").click().run()
    assert editing(page)["saved_id"] == saved.id
    lab.strategies.delete(lab.owner_id, saved.id)
    page.button(key="save_version").click().run()
    assert page.error


def test_what_another_tab_saved_meanwhile_is_not_overwritten(pages, lab):
    saved = lab.strategies.save(lab.owner_id, PRESETS["momentum_12_1"].strategy)
    page = pages("builder")
    page.selectbox(key="open_choice").set_value(saved.id).run()
    page.button(key="open_saved").click().run()
    other = lab.strategies.rename(lab.owner_id, saved.id, "From the other tab")
    page.text_input(key="field_name").set_value("From this tab").run()
    page.button(key="save_version").click().run()
    assert "버전 1에서 시작했고 저장된 전략은 버전 2" in page.error[0].value
    assert lab.strategies.get(lab.owner_id, saved.id) == other
    page.button(key="save_new").click().run()
    assert not page.error
    assert lab.strategies.get(lab.owner_id, editing(page)["saved_id"]).name == "From this tab"


def test_the_range_is_chosen_by_dates_or_by_years(pages):
    page = section(pages("builder"), "period")
    page.button(key="range_3").click().run()
    assert (editing(page)["start"], editing(page)["end"]) == (date(2023, 11, 20), date(2026, 11, 20))
    page.button(key="range_all").click().run()
    assert editing(page)["start"] == page.date_input(key="range_start").min
    page.date_input(key="range_start").set_value(date(2020, 1, 2)).run()
    assert editing(page)["start"] == date(2020, 1, 2)
    page.number_input(key="field_allocation_initial_cash_krw").set_value(50_000_000).run()
    assert editing(page)["document"]["allocation"]["initial_cash_krw"] == 50_000_000


def test_run_submits_what_is_being_edited_and_leads_to_the_result(pages, lab):
    page = section(pages("builder"), "period")
    page.button(key="range_1").click().run()
    page.selectbox(key="preset_choice").set_value("momentum_12_1").run()
    page.button(key="load_preset").click().run()
    page.button(key="run_backtest").click().run()
    job = next(job for job in lab.jobs.list(lab.owner_id) if job.kind == "backtest")  # not the check of its result
    assert job.order.start == date(2025, 11, 20)
    assert job.order.document["entry"] == PRESETS["momentum_12_1"].strategy.model_dump(mode="json")["entry"]


def test_the_score_takes_factors_and_formulas(pages):
    page = section(pages("builder"), "ranking")
    page.button(key="add_ranking").click().run()
    page.selectbox(key="ranking_0_factor").set_value("rsi_14").run()
    page.selectbox(key="field_ranking_factors_0_direction").set_value("low").run()
    page.button(key="ranking_0_mode").click().run()
    page.text_area(key="formula_ranking_0").input("이동평균({RSI(14)},{5일})").run()
    page.selectbox(key="field_ranking_keep").set_value("top").run()
    page.number_input(key="field_ranking_count").set_value(15).run()
    ranking = editing(page)["document"]["ranking"]
    assert (ranking["factors"][0]["formula"], ranking["factors"][0]["direction"]) == ("sma(rsi_14,5)", "low")
    assert (ranking["keep"], ranking["count"]) == ("top", 15)
    page.text_area(key="formula_ranking_0").input("sma(rsi_14").run()
    assert page.button(key="run_backtest").disabled
    page.button(key="ranking_0_remove").click().run()
    assert editing(page)["document"]["ranking"]["factors"] == []
    assert not page.exception


def test_special_settings_store_what_they_show(pages):
    page = section(pages("builder"), "market_filter")
    page.toggle(key="field_market_filter_on").set_value(True).run()
    assert editing(page)["document"]["market_filter"]["formula"] == "close>sma(close,120)"
    section(page, "costs")
    page.toggle(key="field_costs_tax_dated").set_value(False).run()
    page.number_input(key="field_costs_tax").set_value(0.2).run()
    assert editing(page)["document"]["costs"]["tax"] == 0.002
    section(page, "execution")
    page.selectbox(key="field_execution_buy").set_value("limit").run()
    page.number_input(key="field_execution_limit_offset").set_value(-1.5).run()
    assert editing(page)["document"]["execution"]["limit_offset"] == -0.015
    section(page, "sizing")
    for method, field in (
        ("fixed_weight", "weight"),
        ("fixed_krw", "amount_krw"),
        ("inverse_volatility", "volatility_sessions"),
    ):
        page.selectbox(key="field_sizing_method").set_value(method).run()
        assert page.number_input(key=f"field_sizing_{field}")
    section(page, "universe")
    page.toggle(key="field_universe_top_on").set_value(True).run()
    assert editing(page)["document"]["universe"]["top"]["count"] == 500
    section(page, "rebalancing")
    page.button_group(key="field_rebalancing_mode").set_value("target").run()
    page.selectbox(key="field_rebalancing_period").set_value("weekly").run()
    assert editing(page)["document"]["rebalancing"]["period"] == "weekly"
    assert not page.exception


def test_a_strategy_is_renamed_restored_and_deleted_from_the_list(pages, lab):
    first = lab.strategies.save(lab.owner_id, PRESETS["momentum_12_1"].strategy)
    page = pages("strategies")
    page.button(key=f"rename_{first.id}").click().run()
    page.text_input(key="rename_to").input("다른 이름")
    page.button(key="rename_confirm").click().run()
    assert lab.strategies.get(lab.owner_id, first.id).name == "다른 이름"
    page.session_state[f"details_{first.id}"] = True
    page.run()
    page.button(key=f"restore_{first.id}_1").click().run()
    assert lab.strategies.get(lab.owner_id, first.id).name == PRESETS["momentum_12_1"].strategy.name
    page.button(key=f"delete_{first.id}").click().run()
    page.button(key="delete_refuse").click().run()
    assert lab.strategies.get(lab.owner_id, first.id).version == 3
    page.button(key=f"delete_{first.id}").click().run()
    page.button(key="delete_confirm").click().run()
    assert first.id not in {saved.id for saved in lab.strategies.list(lab.owner_id)}
    assert not page.exception


def test_no_button_would_be_sent_anew_when_the_language_changes(pages):
    for name in ("builder", "factors", "strategies", "home"):
        page = pages(name)
        keys = [part.key for part in page.button if part.key]
        assert [
            key for key in keys if key.startswith(navigation.CHOICES_BEGIN) or key.endswith(navigation.CHOICES_END)
        ] == []


def test_an_empty_home_has_no_range(empty_pages):
    page = section(empty_pages("builder"), "period")
    assert any("기간을 고를 수 없습니다" in part.value for part in page.caption)
    assert page.button(key="run_backtest").disabled


@pytest.mark.parametrize("path", ["universe.top.count", "market_filter.formula"])
def test_a_path_through_null_is_null(path: str):
    assert draft.get(draft.blank_document("x"), path) is None


def test_text_of_a_faulty_document_is_still_shown():
    document = draft.put(draft.blank_document("x"), "name", "")
    assert draft.check(document)[0] is None
    assert json.loads(draft.text_of(document))["name"] == ""
