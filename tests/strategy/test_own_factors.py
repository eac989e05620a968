"""Own factors of a document: judged in order, kept as typed, the same as their meaning written out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import promptly

from stocklab.errors import DocumentError, FieldFault
from stocklab.strategy import describe_strategy, dump, fingerprint, lines_of, parse_document, rules_of
from stocklab.strategy.document import OwnFactor, StatementMode
from stocklab.strategy.own_factors import expanded, statement_formulas
from stocklab.strategy.screen import parse_screen, screen_of
from stocklab.strategy.words import describe_rule, describe_value

QUIET = {"id": "quiet", "name": "조용한 모멘텀", "formula": "ret(close,120)/tstd(ret1,120,1)", "unit": "x"}
CHEAP = {"id": "quiet_and_cheap", "name": "싸고 조용한", "formula": "xz(quiet)-xz(log(pos(pbr)))"}


def document(rule: str = "quiet>2", *factors: dict[str, Any], **more: Any) -> dict[str, Any]:
    rules = [{"id": "A", "formula": rule}]
    return {"name": "x", "factors": list(factors or (QUIET, CHEAP)), "entry": {"rules": rules}, **more}


def faults(data: dict[str, Any]) -> list[FieldFault]:
    with pytest.raises(DocumentError) as caught:
        parse_document(data)
    return list(caught.value.faults)


def told(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in faults(data)]


class TestReading:
    def test_names_are_kept_and_korean_forms_become_the_notation(self) -> None:
        cheap = {**CHEAP, "formula": "xz({조용한 모멘텀}) - xz(log(pos({PBR})))"}
        strategy = parse_document(document("이동평균({조용한 모멘텀},{20일}) > 1", QUIET, cheap))
        assert strategy.entry.rules[0].formula == "sma(quiet,20)>1"
        assert strategy.factors[1].formula == CHEAP["formula"]
        assert parse_document(dump(strategy)) == strategy
        assert rules_of(lines_of(strategy.entry.rules)) == strategy.entry.rules
        assert lines_of(strategy.entry.rules)[0].row is not None

    def test_every_place_may_use_them(self) -> None:
        strategy = parse_document(
            document(
                ranking={"factors": [{"formula": "quiet_and_cheap"}]},
                exit={"rules": [{"id": "A", "formula": "quiet<0"}]},
                market_filter={"formula": "quiet>0"},  # it reads the close alone
            )
        )
        plain = expanded(strategy)
        meaning = QUIET["formula"]
        assert plain.factors == ()
        assert plain.entry.rules[0].formula == f"{meaning}>2"
        assert plain.exit.rules[0].formula == f"{meaning}<0"
        assert plain.ranking.factors[0].formula == f"xz({meaning})-xz(log(pos(pbr)))"
        assert plain.market_filter is not None
        assert plain.market_filter.formula == f"{meaning}>0"

    def test_a_condition_may_have_a_name(self) -> None:
        calm = {"id": "calm", "formula": "volatility_20d<30", "unit": "bool"}
        assert parse_document(document("calm&(close>open)", calm)).entry.rules[0].formula == "calm&(close>open)"
        assert told(document("quiet")) == [("entry.rules.0.formula", "not_condition")]


class TestFaults:
    @pytest.mark.parametrize(
        ("factor", "path", "code"),
        [
            ({"id": "roe", "formula": "close"}, "factors.0.id", "name_taken"),
            ({"id": "sma", "formula": "close"}, "factors.0.id", "name_taken"),
            ({"id": "mine", "name": "PER", "formula": "close"}, "factors.0.name", "name_taken"),
            ({"id": "lambda", "formula": "close"}, "factors.0.id", "name_taken"),
            ({"id": "Mine", "formula": "close"}, "factors.0.id", "pattern"),
            ({"id": "mine", "formula": "mine+1"}, "factors.0.formula", "cycle"),
            ({"id": "mine", "formula": "12"}, "factors.0.formula", "kind"),
            ({"id": "mine", "formula": "sector"}, "factors.0.formula", "kind"),
            ({"id": "mine", "formula": "total_assets"}, "factors.0.formula", "kind"),
            ({"id": "mine", "formula": "close.real"}, "factors.0.formula", "forbidden"),
            ({"id": "mine", "formula": " "}, "factors.0.formula", "length"),
            ({"id": "mine", "formula": "close", "unit": "furlong"}, "factors.0.unit", "choice"),
            ({"id": "mine", "formula": "close", "higher_is_better": 2}, "factors.0.higher_is_better", "choice"),
            ({"id": "mine", "formula": "close", "formulla": "x"}, "factors.0.formulla", "unknown_key"),
            ({"id": "mine"}, "factors.0.formula", "missing"),
        ],
    )
    def test_each_is_told_at_its_place(self, factor: dict[str, Any], path: str, code: str) -> None:
        assert told({"name": "x", "factors": [factor]}) == [(path, code)]

    def test_order_matters_and_a_fault_is_told_once(self) -> None:
        below = [{"id": "first", "formula": "second+1"}, {"id": "second", "formula": "close"}]
        assert told(document("first>1", *below)) == [
            ("factors.0.formula", "own_factor_order"),
            ("entry.rules.0.formula", "own_factor_fault"),
        ]

    def test_names_are_given_once_and_twenty_are_enough(self) -> None:
        again = {"id": "other", "name": "조용한  모멘텀", "formula": "close"}
        assert told(document("close>1", QUIET, again)) == [("factors.1.name", "repeated_name")]
        many = [{"id": f"f{number}", "formula": "close"} for number in range(21)]
        assert ("factors", "length") in told(document("close>1", *many))

    def test_a_market_filter_still_knows_the_index_alone(self) -> None:
        found = faults(document(market_filter={"formula": "quiet_and_cheap>0"}))
        assert [(fault.path, fault.code) for fault in found] == [("market_filter.formula", "market_inputs")]

    def test_twenty_hostile_factors_are_refused_promptly(self) -> None:
        doubling = [{"id": "f0", "formula": "close"}]
        doubling += [{"id": f"f{number}", "formula": f"f{number - 1}*f{number - 1}"} for number in range(1, 20)]
        with promptly():
            codes = {code for _, code in told(document("f19>1", *doubling))}
        assert codes == {"too_many", "own_factor_fault"}


class TestFingerprint:
    def test_it_sees_what_is_meant_not_what_it_is_called(self) -> None:
        named = parse_document(document("quiet>2"))
        written = parse_document(document(f"{QUIET['formula']}>2", CHEAP | {"formula": "close"}))
        renamed = parse_document(document("silent>2", {**QUIET, "id": "silent", "name": "", "note": "n", "unit": "%"}))
        assert fingerprint(named) == fingerprint(written) == fingerprint(renamed)
        changed = parse_document(document("quiet>2", {**QUIET, "formula": "ret(close,60)"}))
        assert fingerprint(changed) != fingerprint(named)

    def test_the_statement_mode_counts_and_its_default_does_not(self) -> None:
        strict = parse_document({"name": "x", "statements": "strict"})
        assert fingerprint(strict) == fingerprint(parse_document({"name": "x"}))
        assert fingerprint(parse_document({"name": "x", "statements": "restated"})) != fingerprint(strict)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def test_writing_names_out_changes_nothing(self, data: st.DataObject, random_inputs: Any) -> None:
        strategy = data.draw(random_inputs.documents())
        plain = expanded(strategy)
        assert fingerprint(plain) == fingerprint(strategy)
        assert parse_document(dump(plain)) == plain


class TestWords:
    OWN = (OwnFactor(id="quiet", name="조용한 모멘텀", formula="ret(close,120)", unit="x"),)

    def test_a_rule_says_the_name(self) -> None:
        assert describe_rule("quiet>2", "ko", self.OWN) == "'조용한 모멘텀'이 2배보다 높다"
        assert describe_rule("sma(quiet,20)>quiet", "ko", self.OWN) == (
            "'조용한 모멘텀'의 20일 이동평균이 '조용한 모멘텀'보다 높다"
        )
        assert describe_rule("quiet>lag(quiet,5)+1", "en", self.OWN) == (
            '"조용한 모멘텀" is above "조용한 모멘텀" of 5 sessions ago + 1'
        )
        assert describe_value("100*(1-xpct(quiet))", "en", self.OWN) == 'the top percentile of "조용한 모멘텀"'

    def test_the_strategy_says_what_it_means_and_when_reports_count(self) -> None:
        cheap = parse_document(document("quiet_and_cheap>0"))
        korean, english = describe_strategy(cheap, "ko"), describe_strategy(cheap, "en")
        assert korean[1] == "내 팩터 '조용한 모멘텀': 종가의 120일 수익률 ÷ 일간 수익률의 120일 표준편차."
        assert english[2].startswith('Own factor "싸고 조용한": the z-score of "조용한 모멘텀"')
        assert korean[-1].startswith("재무제표: 공시가 접수된 날부터")
        restated = cheap.model_copy(update={"statements": StatementMode.RESTATED})
        assert "hindsight" in describe_strategy(restated, "en")[-1]
        assert not any("재무제표" in line for line in describe_strategy(parse_document(document("quiet>2")), "ko"))

    def test_formulas_that_read_reports_are_found_through_their_names(self) -> None:
        assert statement_formulas(parse_document(document("quiet_and_cheap>0"))) == ("quiet_and_cheap>0",)
        assert statement_formulas(parse_document(document("days_since_filing<30"))) == ("days_since_filing<30",)
        assert statement_formulas(parse_document(document("quiet>2"))) == ()


def test_a_screen_of_the_strategy_looks_for_the_same() -> None:
    screen = screen_of(parse_document(document(ranking={"factors": [{"formula": "quiet_and_cheap"}]})))
    assert screen.conditions.rules[0].formula == f"{QUIET['formula']}>2"
    assert screen.columns == (f"xz({QUIET['formula']})-xz(log(pos(pbr)))",)
    assert parse_screen(screen.model_dump(mode="json")) == screen
