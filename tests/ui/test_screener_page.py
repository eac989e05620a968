"""The screener as a visitor uses it: examples, conditions, the answer, links, the way to a backtest."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from streamlit.testing.v1 import AppTest

from stocklab.data import Store, import_paths
from stocklab.market.calendar import is_session
from stocklab.market.panel import PriceBasis
from stocklab.portfolios import Lab
from stocklab.strategy import PRESETS
from stocklab.strategy.screen import parse_screen
from stocklab.ui import cached
from stocklab.ui.screener.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]


def document(page: AppTest) -> dict:
    return page.session_state["screener"]["document"]


def said(page: AppTest) -> str:
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(page, kind))


def table(page: AppTest):
    return page.dataframe[0].value


def with_formula(page: AppTest, formula: str) -> AppTest:
    """One more condition, as text."""
    page.button(key="add_formula_conditions").click().run()
    letter = document(page)["conditions"]["rules"][-1]["id"]
    return page.text_area(key=f"formula_conditions_{letter}").input(formula).run()


def part(page: AppTest, name: str) -> AppTest:
    return page.button_group(key="screener_part_choice").set_value(name).run()


def test_without_conditions_three_examples_lead_on(pages):
    page = pages("screener")
    assert not page.exception
    assert not page.dataframe
    assert {one.key for one in page.button} >= {f"screener_start_{key}" for key in EXAMPLES}
    page.button(key="screener_start_near_the_high").click().run()
    assert not page.exception
    assert page.query_params["example"] == "near_the_high"
    assert document(page)["name"] == "신고가에 다가선 강한 종목"
    assert "조건에 맞습니다" in said(page)


def test_every_example_is_a_valid_screen():
    assert len(EXAMPLES) == 3
    for example in EXAMPLES.values():
        screen = parse_screen(example.document)
        assert screen.sort is not None
        assert len(screen.conditions.rules) == 3


def test_a_condition_is_added_without_code_and_counted_at_once(pages):
    page = pages("screener")
    page.button(key="add_conditions").click().run()
    assert [rule["formula"] for rule in document(page)["conditions"]["rules"]] == ["close>sma(close,60)"]
    found = cached.screen(parse_screen(document(page)), None)
    assert f"**{found.matched}종목**" in said(page)
    assert table(page)["symbol"].tolist() == found.rows["symbol"].to_list()
    page.selectbox(key="rule_conditions_A_left_factor").set_value("rsi_14").run()
    page.button_group(key="rule_conditions_A_right").set_value("value").run()
    page.number_input(key="rule_conditions_A_value").set_value(40.0).run()
    assert document(page)["conditions"]["rules"][0]["formula"] == "rsi_14>40"
    assert table(page).shape[0] == cached.screen(parse_screen(document(page)), None).matched != found.matched
    assert page.session_state["desk"] == "screener"


def test_the_builder_keeps_its_own_document(pages):
    page = pages("screener")
    page.button(key="add_conditions").click().run()
    page.switch_page(str(ROOT / "pages" / "builder.py")).run()
    assert page.session_state["builder"]["document"]["entry"]["rules"] == []
    page.button(key="add_entry").click().run()
    assert len(page.session_state["builder"]["document"]["entry"]["rules"]) == 1
    assert len(document(page)["conditions"]["rules"]) == 1


def test_a_fault_is_shown_at_its_field_and_nothing_is_computed(pages):
    page = with_formula(pages("screener"), "clsoe > 3")
    assert any(one.value.endswith("^^^^^") for one in page.code)
    assert "검색 조건에 고칠 곳이 있습니다" in said(page)
    assert not page.dataframe
    assert page.button(key="screener_backtest").disabled
    page.text_area(key="formula_conditions_A").input("이동평균({종가},{1개월}) > 시가").run()
    assert document(page)["conditions"]["rules"][0]["formula"] == "sma(close,21)>open"
    assert page.dataframe


def test_columns_order_and_rows_are_chosen(pages):
    page = part(with_formula(pages("screener"), "rsi_14<60"), "columns")
    page.multiselect(key="field_columns").set_value(["ret_1m", "close/sma(close,20)"]).run()
    page.button(key="screener_add_values").click().run()
    assert document(page)["columns"] == ["ret_1m", "close/sma(close,20)", "rsi_14"]
    page.toggle(key="field_sort_on").set_value(True).run()
    page.selectbox(key="field_sort_by").set_value("rsi_14").run()
    page.selectbox(key="field_sort_direction").set_value("asc").run()
    page.toggle(key="field_limit_on").set_value(True).run()
    page.number_input(key="field_limit").set_value(5).run()
    shown = table(page)
    assert shown["rsi_14"].is_monotonic_increasing
    assert shown.shape[0] == 5
    page.multiselect(key="field_columns").set_value(["nonsense"]).run()
    assert "columns.0" in said(page)


def test_the_link_of_a_preset_shows_its_hits_in_its_order(pages):
    page = pages("screener", preset="momentum_12_1")
    panel = cached.lab().panel()
    hits = cached.matches(PRESETS["momentum_12_1"].strategy)[1]
    assert table(page)["symbol"].tolist() == [symbol for symbol, _score in hits]
    assert "score" in table(page).columns
    page.date_input(key="screener_day").set_value(panel.sessions[2000].item()).run()
    assert page.query_params["date"] == str(panel.sessions[2000])
    assert str(panel.sessions[2000]) in said(page)
    page = pages("screener", preset="momentum_12_1", date=str(panel.sessions[1900]))
    assert str(panel.sessions[1900]) in said(page)
    page = pages("screener", preset="momentum_12_1", date="yesterday")
    assert str(panel.sessions[-1]) in said(page)


def test_a_changed_screen_leaves_its_link(pages):
    page = pages("screener", preset="momentum_12_1")
    page.session_state["screener"]["document"] = {**document(page), "limit": 2}
    page.run()
    assert "preset" not in page.query_params
    assert table(page).shape[0] == 2


def test_an_unknown_name_in_a_link_is_an_error_in_words(pages):
    for query in ({"preset": "nothing"}, {"strategy": "../../x"}):
        page = pages("screener", **query)
        assert not page.exception
        assert page.error
    assert not pages("screener", example="nothing").error


def test_a_saved_strategy_is_found_again_and_its_hits_shown(pages, lab: Lab):
    page = with_formula(pages("screener"), "close>sma(close,60)")
    page.button(key="screener_save_strategy").click().run()
    assert page.success
    saved = lab.strategies.list(lab.owner_id)[0]
    assert saved.name == "새 종목 검색"
    before = table(page)["symbol"].tolist()
    again = pages("screener", strategy=saved.id)
    assert sorted(table(again)["symbol"].tolist()) == sorted(before)
    lab.strategies.delete(lab.owner_id, saved.id)


def test_one_click_leads_to_the_builder_with_the_conditions_as_rules_to_buy(pages):
    page = pages("screener", example="near_the_high")
    page.button(key="screener_backtest").click().run()
    built = page.session_state["builder"]["document"]
    example = EXAMPLES["near_the_high"].document
    assert page.title[0].value == "전략 만들기"
    assert [rule["formula"] for rule in built["entry"]["rules"]] == [
        rule["formula"] for rule in example["conditions"]["rules"]
    ]
    assert built["ranking"]["factors"][0]["formula"] == "ret_6m"
    assert not page.button(key="run_backtest").disabled


def test_a_preset_goes_to_the_builder_as_it_is(pages):
    page = pages("screener", preset="trend_market_filter")
    page.button(key="screener_backtest").click().run()
    built = page.session_state["builder"]["document"]
    original = PRESETS["trend_market_filter"].strategy.model_dump(mode="json")
    assert built == {**original, "name": PRESETS["trend_market_filter"].name_ko}


def test_any_stock_is_explained(pages):
    page = with_formula(pages("screener", lang="en"), "rsi_14<60")
    names = cached.names()
    symbol = next(key for key in names if key not in table(page)["symbol"].tolist() and key in _listed())
    page.selectbox(key="screener_stock").set_value(symbol).run()
    assert "Does not match" in said(page) or "Not in the universe" in said(page)
    page.selectbox(key="screener_stock").set_value(table(page)["symbol"].iloc[0]).run()
    assert "In the table" in said(page)
    assert "Relative strength index 14 " in said(page)


def _listed() -> set[str]:
    panel = cached.lab().panel()
    return {symbol for symbol, there in zip(panel.symbols, panel.fields["listed"][-1], strict=True) if there}


def test_a_condition_that_can_never_match_is_a_warning(empty_pages, tmp_path: Path):
    bars = ["date,code,open,high,low,close,volume"]
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(120)]
    for number, day in enumerate(day for day in days if is_session(day)):
        bars += [f"{day},{code},{price},{price},{price},{price},1000" for code, price in (("000010", 1000 + number),)]
    file = tmp_path / "bars.csv"
    file.write_text("\n".join(bars), encoding="utf-8")
    columns = {name: name for name in bars[0].split(",")}
    import_paths(Store(tmp_path / "home"), [file], mapping=columns, basis=PriceBasis.ADJUSTED)
    page = with_formula(empty_pages("screener"), "per<10")
    assert "이 조건은 절대 충족될 수 없습니다" in page.warning[0].value
    assert "net_income_parent" not in page.warning[0].value, "inputs are named, not spelled as ids"
    assert "A" in page.warning[0].value
    page.text_area(key="formula_conditions_A").input("close>1000").run()
    assert not page.warning


def test_a_file_is_opened_as_a_screen_or_as_a_strategy(pages):
    page = pages("screener")
    rules = [{"id": "A", "formula": "close>0"}]

    def opened(content: bytes) -> AppTest:
        return page.file_uploader(key="screener_file").set_value(("x.json", content, "application/json")).run()

    opened(json.dumps({"conditions": {"rules": rules}, "limit": 1}).encode())
    assert document(page)["limit"] == 1
    assert table(page).shape[0] == 1
    ranked = {"name": "x", "entry": {"rules": rules}, "ranking": {"factors": [{"formula": "ret_1m"}]}}
    opened(json.dumps(ranked).encode())
    assert table(page)["score"].is_monotonic_decreasing
    opened(b'{"limit": "x"}')
    assert "limit" in page.error[0].value
    opened(b"\xff\xfe")
    assert page.error
    assert table(page)["score"].is_monotonic_decreasing, "what was there stays"
