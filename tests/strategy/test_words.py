"""Sentences for rules and strategies, Korean and English."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.errors import FormulaError
from stocklab.factors import CATALOGUE, FUNCTIONS
from stocklab.factors.words import CALL_WORDS
from stocklab.strategy.korean import ends_in_consonant, with_particle
from stocklab.strategy.labels import label, money, quantity, unit_of
from stocklab.strategy.parsing import parse_document
from stocklab.strategy.words import describe_row, describe_rule, describe_strategy, describe_value


@pytest.mark.parametrize(
    ("formula", "korean", "english"),
    [
        ("close>sma(close,60)", "종가가 60일 이동평균보다 높다", "Close is above its 60-session average"),
        ("rsi_14<30", "RSI(14)가 30보다 낮다", "Relative strength index 14 is below 30"),
        ("mom_12_1>=0", "모멘텀 12-1이 0% 이상이다", "Momentum 12-1 is at least 0%"),
        ("tv>=1000000000", "거래대금이 10억원 이상이다", "Trading value is at least KRW 1,000,000,000"),
        ("volume>2*sma(volume,20)", "거래량이 20일 이동평균의 2배보다 많다", "Volume is above 2 times its 20-session average"),
        ("lag(close,5)<=close", "5일 전 종가가 종가 이하이다", "Close of 5 sessions ago is at most close"),
        ("100*(1-xpct(mom_12_1))<=10", "모멘텀 12-1이 상위 10% 안에 든다", "Momentum 12-1 is in the top 10%"),
        ("100*xpct(close)>20", "종가가 하위 20% 밖이다", "Close is outside the bottom 20%"),
        ("100*xpct(close)<20", "종가의 하위 백분위가 20%보다 작다", "The bottom percentile of close is below 20%"),
        ("xrank(roe,1)<=20", "ROE(자기자본이익률) 순위가 높은 순으로 20위 안에 든다", "Return on equity (TTM) ranks among the 20 highest"),
        ("close==tmax(close,20)", "종가가 20일 최고값과 같다", "Close equals its 20-session highest"),
        ("close!=open", "종가가 시가와 다르다", "Close differs from open"),
        ("delta(roe,5)>1", "ROE(자기자본이익률)의 5일 변화량이 1%p보다 크다", "The 5-session change of return on equity (TTM) is above 1 percentage points"),
        ("growth(volume,lag(volume,5))>50", "거래량의 5일 변화율이 50%보다 크다", "The 5-session rate of change of volume is above 50%"),
        ("per<qmean(per,4)", "PER(주가수익비율)이 4분기 평균보다 낮다", "Price to earnings (TTM) is below its 4-quarter average"),
        ("tmin(low,1)>low", "저가의 1일 최저값이 저가보다 높다", "The 1-session lowest of low is above low"),
        ("(rsi_14>=50)&(rsi_14<=70)", "RSI(14)가 50 이상 70 이하이다", "Relative strength index 14 is between 50 and 70"),
        ("(rsi_14<30)|(rsi_14>70)", "RSI(14)가 30 미만이거나 70 초과이다", "Relative strength index 14 is below 30 or above 70"),
        ("new_high_52w==1", "52주 신고가 경신 조건이 참이다", "New 52-week high holds"),
        ("new_high_52w==0", "52주 신고가 경신 조건이 거짓이다", "New 52-week high does not hold"),
        ("new_high_52w", "52주 신고가 경신 조건이 참이다", "New 52-week high holds"),
        ("~(rsi_14>70)", "[RSI(14)가 70보다 높다]에 해당하지 않는다", "Not [relative strength index 14 is above 70]"),
        ("(close>open)&(rsi_14<70)", "종가가 시가보다 높다, 그리고 RSI(14)가 70보다 낮다", "Close is above open, and relative strength index 14 is below 70"),
        ("(close>open)&((close>low)|(close<high))", "종가가 시가보다 높다, 그리고 [종가가 저가보다 높다 또는 종가가 고가보다 낮다]", "Close is above open, and [close is above low or close is below high]"),
        ("close/lag(close,1)-1>0.05", "종가 ÷ 1일 전 종가 - 1이 0.05보다 높다", "Close ÷ close of 1 session ago - 1 is above 0.05"),
        ("(close-open)/(high-low)>0.5", "(종가 - 시가) ÷ (고가 - 저가)가 0.5보다 높다", "(close - open) ÷ (high - low) is above 0.5"),
        ("max(open,close)>10", "시가, 종가 중 큰 값이 10보다 높다", "The larger of open, close is above 10"),
        ("-ret1>0.05", "-일간 수익률이 0.05보다 높다", "-daily return is above 0.05"),
        ("tcount(close>open,5)==5", "최근 5일 중 [종가가 시가보다 높다] 일수가 5와 같다", "The sessions of the last 5 on which [close is above open] equals 5"),
        ("clip(close,1,2)>1", "1~2 안으로 제한한 종가가 1보다 높다", "Close limited to 1..2 is above 1"),
        ("ttm(cfo)>ttm(cfo,4)", "영업활동현금흐름(최근 4분기 합)이 4분기 전 영업활동현금흐름(최근 4분기 합)보다 높다", "Operating cash flow (last four quarters) is above operating cash flow (last four quarters) of 4 quarters ago"),
    ],
)  # fmt: skip
def test_rules_read_as_people_say_them(formula: str, korean: str, english: str) -> None:
    assert describe_rule(formula, "ko") == korean
    assert describe_rule(formula, "en") == english


def test_values_are_noun_phrases() -> None:
    assert describe_value("mom_12_1", "ko") == "모멘텀 12-1"
    assert describe_value("sma(close,20)", "en") == "the 20-session average of close"
    assert describe_value("ret(close,20)/tstd(ret1,20,1)", "ko") == "종가의 20일 수익률 ÷ 일간 수익률의 20일 표준편차"


def test_what_is_no_formula_is_refused() -> None:
    with pytest.raises(FormulaError):
        describe_rule("close >", "ko")


# Standard Korean: 이/은/을/과 after a final consonant, read aloud (숫자와 알파벳은 이름대로)
@pytest.mark.parametrize(
    ("word", "consonant"),
    [
        *(("종가", False), ("거래량", True), ("RSI", False), ("PER", True), ("EV/EBITDA", False), ("VR(20)", True)),
        *(("MACD 시그널(9)", True), ("7", True), ("2", False), ("10", True), ("1.5배", False), ("15%", False)),
        *(("1,000원", True), ("(종가)", False), ("", False)),
    ],
)
def test_final_consonants(word: str, consonant: bool) -> None:
    assert ends_in_consonant(word) is consonant
    assert with_particle(word, "을/를") == word + ("을" if consonant else "를")


@pytest.mark.parametrize(("word", "said"), [("시장", "시장으로"), ("시가", "시가로"), ("7", "7로"), ("10", "10으로")])
def test_direction_particle_after_rieul(word: str, said: str) -> None:
    assert with_particle(word, "으로/로") == said


def test_names_units_and_money() -> None:
    assert label("close", "ko") == "종가"
    assert label("no_such_name", "en") == "no_such_name"
    assert unit_of("roe") == "%"
    assert unit_of("no_such_name") == ""
    assert money(2_000_000_000_000, "ko") == "2조원"
    assert money(123_456_789, "ko") == "123,456,789원"
    assert quantity(1e-7, "x", "ko") == "1e-07배"
    assert quantity(-1234.5, "", "en") == "-1,234.5"


def test_every_worded_function_exists_and_fills_its_words() -> None:
    assert set(CALL_WORDS) <= set(FUNCTIONS)
    for korean, english in CALL_WORDS.values():
        assert [f"{{{n}}}" in korean for n in range(3)] == [f"{{{n}}}" in english for n in range(3)]


def test_every_catalogue_formula_can_be_said() -> None:
    for factor in CATALOGUE.values():
        for language in ("ko", "en"):
            assert describe_value(factor.formula, language)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_random_rows_and_documents_can_be_said(data: st.DataObject, random_inputs: Any) -> None:
    row = data.draw(random_inputs.rows())
    strategy = data.draw(random_inputs.documents())
    for language in ("ko", "en"):
        assert describe_row(row, language)
        assert all(line.endswith((".", ")")) for line in describe_strategy(strategy, language))


def test_a_document_with_everything_reads_in_order() -> None:
    strategy = parse_document(
        {
            "name": "x",
            "universe": {
                "markets": ["KOSPI"],
                "index": "KOSPI200",
                "sectors": ["반도체"],
                "exclude_sectors": ["금융"],
                "symbols": ["005930"],
                "exclude": ["spac"],
                "min_listed_sessions": 0,
                "min_trading_value_krw": 1_000_000_000,
                "top": {"by": "market_cap", "count": 100, "skip": 50},
            },
            "entry": {
                "rules": [{"id": "A", "formula": "close>open", "note": "메모"}, {"id": "B", "formula": "rsi_14>70"}],
                "logic": "A and not B",
            },
            "ranking": {
                "factors": [
                    {"formula": "mom_12_1", "weight": 3, "neutralize": "sector", "winsorize": 0.01},
                    {"formula": "volatility_60d", "direction": "low", "transform": "zscore"},
                ],
                "keep": "top",
                "count": 30,
            },
            "sizing": {
                "method": "fixed_weight",
                "weight": 0.04,
                "max_weight": 0.1,
                "max_sector_weight": 0.3,
                "max_position_krw": 50_000_000,
                "max_new_per_session": 3,
                "cash_buffer": 0.05,
                "base": "initial",
            },
            "execution": {"buy": "limit", "limit_offset": -0.01, "carry_unfilled_sessions": 2},
            "exit": {
                "target": {"level": 0.2},
                "stop": {"level": 0.1},
                "trailing": {"level": 0.15, "basis": "close"},
                "min_holding": 3,
                "max_holding": 20,
                "holding_unit": "calendar_days",
                "rules": [{"id": "A", "formula": "close<open"}, {"id": "B", "formula": "rsi_14<30"}],
                "logic": "A or B",
                "rank_below": 60,
                "when_entry_fails": True,
                "reentry_wait_sessions": 5,
            },
            "rebalancing": {"mode": "target", "period": "weekly", "day_shift": 1, "drift_band": 0.01},
            "market_filter": {"formula": "close>sma(close,200)", "months": [1, 11, 12], "action": "no_new"},
            "costs": {"tax": 0.002},
        }
    )
    assert describe_strategy(strategy, "ko") == [
        "대상: 코스피200 종목 가운데 업종·테마가 반도체인, 코드가 005930인, 20일 평균 거래대금이 10억원 이상인 종목 중 "
        "시가총액 51위부터 150위까지. 스팩·금융은 뺀다.",
        "매수 조건: A 그리고 B 아님.",
        "A: 종가가 시가보다 높다 (메모).",
        "B: RSI(14)가 70보다 높다.",
        "매수 순서: 모멘텀 12-1 높은 순 (비중 75%, 순위 기준, 업종 중립, 양끝 1% 절단), 변동성(60일) 낮은 순 (비중 25%, 표준점수 기준).",
        "순위 상위 30종목만 후보로 남긴다.",
        "비중: 최대 20종목을 초기자금의 4%씩 산다. 단, 한 종목은 초기자금의 10%까지, 한 업종은 초기자금의 30%까지, "
        "한 종목은 50,000,000원까지, 하루 신규 매수는 3종목까지, 평가금액의 5%는 현금으로 남긴다.",
        "주문: 다음 거래일 지정가로 사고 다음 거래일 시가에 팔며, 한 주문은 그날 거래량의 10%까지만 체결된다. "
        "매수 지정가는 전일 종가 -1%, 매도 지정가는 그 반대쪽이다. 미체결 잔량은 2거래일 더 낸다.",
        "매도(먼저 오는 것): 매수가 대비 +20% 익절(장중 기준), 매수가 대비 -10% 손절(장중 기준), "
        "보유 중 고점 대비 -15% 추적손절(종가 기준), 보유 20일(달력) 경과, 순위가 60위 밖으로 밀림, "
        "매수 조건이 더는 맞지 않음, 매도 조건 A 또는 B.",
        "A: 종가가 시가보다 낮다.",
        "B: RSI(14)가 30보다 낮다.",
        "최소 3일(달력)은 보유한다(익절·손절은 예외).",
        "판 종목은 5거래일 동안 다시 사지 않는다.",
        "매매 시점: 매주 첫 거래일에서 1거래일 뒤에 목표 비중으로 맞춘다. 목표와의 차이가 1%포인트 이내인 종목은 그대로 둔다.",
        "시장 필터: 코스피 지수에서 [종가가 200일 이동평균보다 높다], 그리고 1·11·12월일 때만 투자하고, 아니면 새로 사지 않는다.",
        "비용: 수수료 편도 0.015%, 거래세 0.2%, 슬리피지 편도 0.1%.",
    ]
    english = describe_strategy(strategy, "en")
    assert english[0] == (
        "Universe: KOSPI 200 stocks with sector or theme 반도체, code 005930, 20-session mean traded value >= "
        "KRW 1,000,000,000, places 51 to 150 by market cap. Left out: SPACs and 금융."
    )
    assert len(english) == len(describe_strategy(strategy, "ko"))


def test_the_smallest_document_says_what_it_does_not_do(smallest: dict[str, Any]) -> None:
    lines = describe_strategy(parse_document(smallest), "ko")
    assert "매수 조건: 없음. 대상 종목 모두가 후보이다." in lines
    assert "매도: 정한 조건이 없어 끝까지 보유한다." in lines
    filtered = {**smallest, "market_filter": {}, "ranking": {"factors": [{"formula": "close"}], "keep": "bottom"}}
    english = describe_strategy(parse_document(filtered), "en")
    assert not any(line.startswith("Market filter") for line in english)
    assert "Only the 20 worst ranked remain." in english
