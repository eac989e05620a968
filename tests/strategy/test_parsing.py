"""Documents in and out: every fault with its place, lossless round trips, identity."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stocklab.errors import DocumentError
from stocklab.strategy.document import Entry, ExitRules, Rule, Strategy
from stocklab.strategy.form import lines_of, rules_of
from stocklab.strategy.json_text import MAX_BYTES
from stocklab.strategy.meaning import is_condition
from stocklab.strategy.parsing import dump, fingerprint, json_schema, parse_document


def faults_of(source: Any) -> dict[str, tuple[str, str]]:
    with pytest.raises(DocumentError) as caught:
        parse_document(source)
    found = {fault.path: (fault.code, fault.message) for fault in caught.value.faults}
    assert len(found) == len(caught.value.faults), "one fault a path"
    return found


def with_rule(formula: str, **more: Any) -> dict[str, Any]:
    return {"name": "x", "entry": {"rules": [{"id": "A", "formula": formula}]}, **more}


class TestRoundTrips:
    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_document_to_text_to_document(self, data: st.DataObject, random_inputs: Any) -> None:
        strategy = data.draw(random_inputs.documents())
        text = dump(strategy)
        again = parse_document(text)
        assert again == strategy
        assert dump(again) == text
        assert fingerprint(again) == fingerprint(strategy)
        assert parse_document(strategy.model_dump()) == strategy

    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_form_to_document_to_form(self, data: st.DataObject, random_inputs: Any) -> None:
        strategy = data.draw(random_inputs.documents())
        entry, exits = lines_of(strategy.entry.rules), lines_of(strategy.exit.rules)
        rebuilt = strategy.model_copy(
            update={
                "entry": Entry(rules=rules_of(entry), logic=strategy.entry.logic),
                "exit": strategy.exit.model_copy(update={"rules": rules_of(exits)}),
            }
        )
        assert rebuilt == strategy
        assert lines_of(parse_document(dump(rebuilt)).entry.rules) == entry

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_every_document_fits_the_schema(self, data: st.DataObject, random_inputs: Any) -> None:
        document = json.loads(dump(data.draw(random_inputs.documents())))
        assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(document)) == []

    def test_korean_formulas_are_stored_in_the_notation(self) -> None:
        strategy = parse_document(with_rule("이동평균({RSI(14)},{20일}) < 30"))
        assert strategy.entry.rules[0].formula == "sma(rsi_14,20)<30"

    def test_formulas_in_the_notation_stay_as_written(self) -> None:
        assert parse_document(with_rule("close > sma(close, 60)")).entry.rules[0].formula == "close > sma(close, 60)"

    def test_a_byte_order_mark_and_bytes_are_read(self) -> None:
        assert parse_document('\ufeff{"name": "가"}').name == "가"
        assert parse_document('\ufeff{"name": "가"}'.encode()).name == "가"

    def test_a_blank_logic_line_is_the_automatic_one(self) -> None:
        assert parse_document({"name": "x", "entry": {"logic": "  "}}).entry.logic is None


class TestUnreadableText:
    @pytest.mark.parametrize(
        ("source", "code", "message"),
        [
            ('{"name": }', "json", "line 1, column 10"),
            ("[1, 2]", "type", r"Expected an object \{...\}, found \[1, 2\]"),
            ("[" * 100_000, "json", "nested too deeply"),
            ('{"name": ' + "9" * 5000 + "}", "json", "number too long"),
            (b'{"name": "\xff"}', "encoding", "byte 11 is not"),
            ('{"name": "' + "x" * MAX_BYTES + '"}', "too_large", "larger than 256 KB"),
            ({"name": {1, 2}}, "json", "values JSON has"),
        ],
    )
    def test_it_is_refused_as_a_whole(self, source: Any, code: str, message: str) -> None:
        with pytest.raises(DocumentError, match=message) as caught:
            parse_document(source)
        assert [(fault.path, fault.code) for fault in caught.value.faults] == [("document", code)]

    @pytest.mark.parametrize("version", [0, 2, "1", True, None, 1.0])
    def test_another_version_is_named_and_nothing_else(self, version: object) -> None:
        found = faults_of({"schema_version": version, "nonsense": 1})
        assert set(found) == {"schema_version"}
        assert found["schema_version"][0] == "unknown_version"
        assert ("update Stock Lab" in found["schema_version"][1]) is (version == 2)


class TestFaults:
    def test_every_fault_of_a_document_is_listed_in_its_order(self) -> None:
        text = """{"name": "", "nmae": 3, "stop": {},
            "universe": {"markets": ["KOSPY"], "symbols": ["5930"]},
            "entry": {"rules": [{"id": "A", "formula": "clsoe>1"}, {"id": "A", "formula": "close"},
                                {"id": "or", "formula": ""}, {"formla": 1}, 5], "logic": "A and (C"},
            "sizing": {"method": "eqaul", "max_holdings": "5", "max_holdings": 5.5},
            "exit": {"min_holding": 5, "max_holding": 2, "stop": {"level": 0}, "rank_below": 3, "a.b": 1},
            "market_filter": {"formula": "volume>1", "months": [1, 1, 13]},
            "costs": {"tax": 0.9, "slippage_rate": NaN, "commission_rate": 1e999}, "benchmark": []}"""
        found = faults_of(text)
        assert {path: code for path, (code, _) in found.items()} == {
            "name": "length",
            "universe.markets.0": "choice",
            "universe.symbols.0": "pattern",
            "entry.logic": "logic_unknown_letter",
            "entry.rules.0.formula": "unknown_name",
            "entry.rules.1.formula": "not_condition",
            "entry.rules.1.id": "repeated_letter",
            "entry.rules.2.formula": "length",
            "entry.rules.2.id": "pattern",
            "entry.rules.3.formla": "unknown_key",
            "entry.rules.3.formula": "missing",
            "entry.rules.3.id": "missing",
            "entry.rules.4": "type",
            "sizing.max_holdings": "repeated_key",
            "sizing.method": "choice",
            "exit.a.b": "unknown_key",
            "exit.min_holding": "range",
            "exit.rank_below": "needs_ranking",
            "exit.stop.level": "range",
            "market_filter.formula": "market_inputs",
            "market_filter.months.1": "repeated_month",
            "market_filter.months.2": "range",
            "costs.commission_rate": "not_finite",
            "costs.slippage_rate": "not_finite",
            "costs.tax": "choice",
            "benchmark": "choice",
            "nmae": "unknown_key",
            "stop": "unknown_key",
        }
        assert list(found)[:3] == ["name", "universe.markets.0", "universe.symbols.0"]
        assert "did you mean 'name'?" in found["nmae"][1]
        assert "it belongs at exit.stop" in found["stop"][1]
        assert "known keys are target, stop" in found["exit.a.b"][1]
        assert "did you mean 'KOSPI'?" in found["universe.markets.0"][1]
        assert "did you mean 'close'" in found["entry.rules.0.formula"][1]
        assert "(character 1)" in found["entry.rules.0.formula"][1]
        assert "(character 8)" in found["entry.logic"][1]
        assert found["costs.tax"][1] == "Expected 'dated' or at most 0.05, found 0.9."
        assert found["entry.rules.4"][1] == "Expected an object {...}, found 5."

    @pytest.mark.parametrize(
        ("part", "path", "code", "message"),
        [
            ({"name": 5}, "name", "type", "Expected text, found 5"),
            ({"name": "x" * 121}, "name", "length", "at most 120 characters"),
            ({"name": "\ud800"}, "name", "text", "surrogate"),
            ({"entry": None}, "entry", "type", r"Expected an object \{...\}, found null"),
            ({"entry": {"rules": {}}}, "entry.rules", "type", "a list"),
            ({"sizing": {"max_holdings": True}}, "sizing.max_holdings", "type", "a whole number, found true"),
            ({"sizing": {"max_holdings": "20"}}, "sizing.max_holdings", "type", "a whole number"),
            ({"sizing": {"max_holdings": 0}}, "sizing.max_holdings", "range", "at least 1, found 0"),
            ({"sizing": {"weight": 0}}, "sizing.weight", "range", "more than 0"),
            ({"sizing": {"cash_buffer": 1}}, "sizing.cash_buffer", "range", "less than 1"),
            ({"sizing": {"amount_krw": 10**40}}, "sizing.amount_krw", "range", "at most 1000000000000000"),
            ({"sizing": {"method": "score"}}, "sizing.method", "needs_ranking", "ranking.factors"),
            ({"ranking": {"keep": "top"}}, "ranking.keep", "needs_ranking", "ranking.factors"),
            ({"exit": {"when_entry_fails": True}}, "exit.when_entry_fails", "needs_entry_rules", "entry.rules"),
            ({"exit": {"when_entry_fails": 1}}, "exit.when_entry_fails", "type", "true or false"),
            ({"market_filter": {"months": []}}, "market_filter.months", "length", "at least 1 item"),
            ({"entry": {"logic": "A"}}, "entry.logic", "logic_unknown_letter", "there is: none"),
            ({"exit": {"logic": "x" * 501}}, "exit.logic", "logic_unknown_letter", "no rule"),
            ({"costs": {"tax": "date"}}, "costs.tax", "choice", "did you mean 'dated'"),
            ({"tags": {"style": [""]}}, "tags.style.0", "length", "at least 1 character"),
            ({"x": 1}, "x", "unknown_key", "known keys are schema_version, name"),
            ({"Entry": {}}, "Entry", "unknown_key", "did you mean 'entry'"),
            ({"tags": {"style": ["a"] * 3, "": 1}}, "tags.", "unknown_key", "known keys are style"),
        ],
    )
    def test_one_fault(self, part: dict[str, Any], path: str, code: str, message: str) -> None:
        with pytest.raises(DocumentError, match=message) as caught:
            parse_document({"name": "x", **part})
        fault = caught.value.faults[0]
        assert (fault.path, len(caught.value.faults)) == (path, 1)
        assert fault.code == code

    @pytest.mark.parametrize(
        ("formula", "code", "message"),
        [
            ("close", "not_condition", "compare it, as in close>0"),
            ("close+open*2-sma(close,20)+tmax(close,20)", "not_condition", r"as in \.\.\.>0"),
            ("3>2", "kind", "found a number"),
            ("sma(close)>1", "arity", "sma"),
            ("close > open and 3", "forbidden", r"\(character 14\)"),
            ("close > ", "incomplete", "value is missing"),
            ("ret_1d > 5%", "forbidden", "compared with plain numbers"),
            ("이동평균({없는팩터},{20일})>1", "unknown_name", r"character 7"),
        ],
    )
    def test_rules_must_be_conditions(self, formula: str, code: str, message: str) -> None:
        found_code, found_message = faults_of(with_rule(formula))["entry.rules.0.formula"]
        assert found_code == code
        assert re.search(message, found_message)

    def test_ranking_takes_values_and_refuses_numbers(self) -> None:
        assert parse_document({"name": "x", "ranking": {"factors": [{"formula": "mom_12_1"}]}}).ranking.factors
        found = faults_of({"name": "x", "ranking": {"factors": [{"formula": "3"}, {"formula": "no_such"}]}})
        assert found["ranking.factors.0.formula"][0] == "kind"
        assert found["ranking.factors.1.formula"][0] == "unknown_name"

    @pytest.mark.parametrize("formula", ["xpct(close)>0.5", "close>mcap", "tv>1", "close>sma(open,20)"])
    def test_a_market_filter_sees_only_the_index(self, formula: str) -> None:
        assert faults_of({"name": "x", "market_filter": {"formula": formula}})["market_filter.formula"][0] == (
            "market_inputs"
        )

    def test_statement_factors_are_part_of_the_schema(self) -> None:
        assert parse_document(with_rule("roe>15")).entry.rules[0].formula == "roe>15"

    @pytest.mark.parametrize(
        ("formula", "truth"),
        [
            ("where(close>open,new_high_52w,0)", True),
            ("nz(close>open)", True),
            ("lag(close>open,1)", True),
            ("max(close>open,rsi_14>50)", True),
            ("(close>open)&new_high_52w", True),
            ("(close>open)+1", False),
            ("where(close>open,2,0)", False),
            ("lag(close,1)", False),
            ("rsi_14", False),
        ],
    )
    def test_what_counts_as_a_condition(self, formula: str, truth: bool) -> None:
        assert is_condition(formula) is truth

    def test_deep_values_are_cut(self) -> None:
        deep: Any = 1
        for _ in range(60):
            deep = [deep]
        with pytest.raises(DocumentError, match="More than 40 levels"):
            parse_document({"name": "x", "deep": deep})


class TestModel:
    def test_code_that_builds_a_strategy_meets_the_same_limits(self) -> None:
        rule = Rule(id="A", formula="close>1")
        with pytest.raises(ValueError, match="Rule letter 'A' is used more than once"):
            Entry(rules=(rule, rule))
        with pytest.raises(ValueError, match="min_holding 5 is above max_holding 2"):
            ExitRules(min_holding=5, max_holding=2)
        with pytest.raises(ValueError, match="String should match pattern"):
            Rule(id="OR", formula="close>1")
        assert ExitRules(logic=" ").logic is None


class TestFingerprint:
    BASE: ClassVar[dict[str, Any]] = {
        "name": "x",
        "universe": {"markets": ["KOSPI", "KOSDAQ"]},
        "entry": {
            "rules": [{"id": "A", "formula": "close>sma(close,60)"}, {"id": "B", "formula": "rsi_14<30"}],
        },
        "ranking": {"factors": [{"formula": "mom_12_1"}]},
        "market_filter": {"formula": "close>sma(close,200)", "months": [1, 2]},
    }

    def _changed(self, **parts: Any) -> str:
        return fingerprint(parse_document({**self.BASE, **parts}))

    def test_it_ignores_names_notes_and_spelling(self) -> None:
        rules = [
            {"note": "n", "formula": "close > (sma(close, 60.0))", "id": "A"},
            {"id": "B", "formula": "rsi_14<30.0"},
        ]
        reordered = dict(reversed(self.BASE.items()))
        reordered |= {
            "name": "y",
            "description": "d",
            "tags": {"style": ["s"]},
            "universe": {"markets": ["KOSDAQ", "KOSPI"]},
            "entry": {"logic": "(a) & b", "rules": rules},
            "market_filter": {"months": [2, 1], "formula": "close > sma(close,200)"},
        }
        assert fingerprint(parse_document(reordered)) == self._changed()

    @pytest.mark.parametrize(
        "part",
        [
            {"entry": {"rules": [{"id": "A", "formula": "close>sma(close,61)"}, {"id": "B", "formula": "rsi_14<30"}]}},
            {"entry": {**BASE["entry"], "logic": "A or B"}},
            {"exit": {"stop": {"level": 0.1}}},
            {"universe": {"markets": ["KOSPI"]}},
            {"costs": {"slippage_rate": 0.002}},
            {"benchmark": "KOSDAQ"},
            {"allocation": {"initial_cash_krw": 1_000_000}},
            {"market_filter": None},
            {"ranking": {"factors": [{"formula": "mom_12_1", "direction": "low"}]}},
        ],
    )
    def test_it_changes_with_whatever_changes_results(self, part: dict[str, Any]) -> None:
        assert self._changed(**part) != self._changed()

    def test_defaults_written_out_change_nothing(self, smallest: dict[str, Any]) -> None:
        written = json.loads(dump(parse_document(smallest)))
        assert fingerprint(parse_document(written)) == fingerprint(Strategy(name="other"))


class TestSchema:
    def test_it_is_a_valid_schema_with_words_on_every_field(self) -> None:
        schema = json_schema()
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        for model in (schema, *schema["$defs"].values()):
            for name, field in model.get("properties", {}).items():
                assert field.get("description"), f"{model['title']}.{name} has no description"
                assert field.get("title") or "$ref" in field or "anyOf" in field

    @pytest.mark.parametrize(
        "document",
        [{}, {"name": ""}, {"name": "x", "y": 1}, {"name": "x", "sizing": {"max_holdings": 0}}, {"name": "x", "schema_version": 2}],
    )  # fmt: skip
    def test_it_refuses_what_the_parser_refuses(self, document: dict[str, Any]) -> None:
        assert not jsonschema.Draft202012Validator(json_schema()).is_valid(document)
        with pytest.raises(DocumentError):
            parse_document(document)
