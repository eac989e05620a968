"""The words of formulas: every function in Korean and English, and the parts of a sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from stocklab.factors.parser import parse
from stocklab.factors.syntax import BinaryNode, Node, canonical

__all__ = ["CALL_WORDS", "QUARTER_CALLS", "call_words", "sum_terms", "top_terms"]

Language = Literal["ko", "en"]

CALL_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # {0}, {1} are the arguments in words; functions that are not here are shown as calls
    "where": ("[{0}]이면 {1}, 아니면 {2}", "{1} where [{0}], else {2}"),
    "abs": ("{0}의 절댓값", "the absolute value of {0}"),
    "sign": ("{0}의 부호", "the sign of {0}"),
    "log": ("{0}의 로그", "the log of {0}"),
    "sqrt": ("{0}의 제곱근", "the square root of {0}"),
    "pos": ("{0}", "{0}"),
    "nz": ("{0}", "{0}"),
    "growth": ("{1} 대비 {0}의 증가율(%)", "the growth (%) of {0} over {1}"),
    "lag": ("{1}일 전 {0}", "{0} of {1} sessions ago"),
    "delta": ("{0}의 {1}일 변화량", "the {1}-session change of {0}"),
    "ret": ("{0}의 {1}일 수익률", "the {1}-session return of {0}"),
    "sma": ("{0}의 {1}일 이동평균", "the {1}-session average of {0}"),
    "tmean": ("{0}의 {1}일 평균", "the {1}-session mean of {0}"),
    "ema": ("{0}의 {1}일 지수이동평균", "the {1}-session exponential average of {0}"),
    "rma": ("{0}의 {1}일 와일더 평균", "the {1}-session Wilder average of {0}"),
    "tsum": ("{0}의 {1}일 합", "the {1}-session sum of {0}"),
    "tmax": ("{0}의 {1}일 최고값", "the {1}-session highest of {0}"),
    "tmin": ("{0}의 {1}일 최저값", "the {1}-session lowest of {0}"),
    "tcount": ("최근 {1}일 중 [{0}] 일수", "the sessions of the last {1} on which [{0}]"),
    "tstd": ("{0}의 {1}일 표준편차", "the {1}-session standard deviation of {0}"),
    "tpctrank": ("{0}의 {1}일 내 백분위(0~1)", "the place of {0} within its last {1} sessions (0 to 1)"),
    "targmax": ("{0}의 {1}일 최고값 이후 일수", "sessions since the {1}-session highest of {0}"),
    "targmin": ("{0}의 {1}일 최저값 이후 일수", "sessions since the {1}-session lowest of {0}"),
    "tslope": ("{0}의 {1}일 기울기", "the {1}-session slope of {0}"),
    "tmdd": ("{0}의 {1}일 최대낙폭", "the {1}-session maximum drawdown of {0}"),
    "streak": ("[{0}] 연속 일수", "consecutive sessions of [{0}]"),
    "bars_since": ("[{0}] 이후 일수", "sessions since [{0}]"),
    "xrank": ("{0}의 순위", "the rank of {0}"),
    "xpct": ("{0}의 백분위(0~1)", "the percentile of {0} (0 to 1)"),
    "xz": ("{0}의 Z점수", "the z-score of {0}"),
    "qlag": ("{1}분기 전 {0}", "{0} of {1} quarters ago"),
    "qdelta": ("{0}의 {1}분기 변화량", "the {1}-quarter change of {0}"),
    "qmean": ("{0}의 {1}분기 평균", "the {1}-quarter mean of {0}"),
    "qstd": ("{0}의 {1}분기 표준편차", "the {1}-quarter standard deviation of {0}"),
    "qstreak": ("[{0}] 연속 분기 수", "the consecutive quarters of [{0}]"),
    "ttm": ("{0}(최근 4분기 합)", "{0} (last four quarters)"),
    "mrq": ("{0}(최근 분기말)", "{0} (latest quarter end)"),
    "qtr": ("{0}(분기)", "{0} (quarter)"),
    "avg2": ("{0}의 기초·기말 평균", "the average of {0} now and 4 quarters ago"),
    "cagr": ("{1}에서 {0}까지 {2}년 연평균 증가율(%)", "the yearly growth (%) from {1} to {0} over {2} years"),
    "clip": ("{1}~{2} 안으로 제한한 {0}", "{0} limited to {1}..{2}"),
    "cs_spread1": ("이틀 고가·저가로 추정한 호가 스프레드", "the spread estimated from two sessions' highs and lows"),
    "exp": ("e의 {0} 제곱", "e to the power of {0}"),
    "obv_line": ("{0}의 등락에 따라 더하고 뺀 {1}의 누적", "the running sum of {1}, signed by the change of {0}"),
    "psar": ("파라볼릭 SAR(가속 {2}, 최대 {3})", "the parabolic SAR (step {2}, at most {3})"),
    "tbeta": ("{1}에 대한 {0}의 {2}일 베타", "the {2}-session beta of {0} to {1}"),
    "tbeta_down": (
        "{1}이 평균보다 낮은 날만으로 구한 {0}의 {2}일 베타",
        "the {2}-session beta of {0} on days with {1} below its mean",
    ),
    "tcorr": ("{0} · {1}의 {2}일 상관계수", "the {2}-session correlation of {0} with {1}"),
    "tcoskew": ("{1}에 대한 {0}의 {2}일 공왜도", "the {2}-session coskewness of {0} with {1}"),
    "tmeandev": ("{0}의 {1}일 평균절대편차", "the {1}-session mean absolute deviation of {0}"),
    "tolsres_ir": (
        "{0}의 {1}일 회귀 잔차({3}~{2}일 전)의 평균 ÷ 표준편차",
        "the mean over the deviation of the residuals of {3} to {2} sessions ago, of {0} regressed over {1} sessions",
    ),
    "tolsstd": (
        "{0}의 {1}일 회귀 잔차 표준편차",
        "the {1}-session standard deviation of {0} that the regression leaves",
    ),
    "tquantile": ("{0}의 {1}일 {2} 분위수", "the {2} quantile of {0} over {1} sessions"),
    "tr2": ("{0}의 {1}일 추세 결정계수", "the R² of the {1}-session trend of {0}"),
    "tskew": ("{0}의 {1}일 왜도", "the {1}-session skewness of {0}"),
    "ttailmean": (
        "{0}의 {1}일 중 {2} 분위수 이하 평균",
        "the mean of {0} at or below its {2} quantile over {1} sessions",
    ),
    "ttopmean": ("{0}의 {1}일 중 큰 값 {2}개 평균", "the mean of the {2} largest of {0} over {1} sessions"),
    "wsum": ("{0}의 {1}일 와일더 누적합", "the {1}-session Wilder sum of {0}"),
    "xmedian_by": ("{0}의 같은 업종 중앙값", "the median of {0} within the sector"),
    "xwinsor": ("{1}~{2} 분위 안으로 제한한 {0}", "{0} limited to its {1} and {2} quantiles of the day"),
    "xwmean_by": ("{1}으로 가중한 {0}의 같은 업종 평균", "the mean of {0} within the sector, weighted by {1}"),
    "xzr": ("{0} 순위의 Z점수", "the z-score of the rank of {0}"),
}
_REGRESSIONS: Final = {"tolsstd": 3, "tolsres_ir": 4}  # where their explaining series begin
QUARTER_CALLS: Final = frozenset({"ttm", "mrq", "qtr"})


def call_words(function: str, arguments: list[str], language: Language) -> str | None:
    """A call as a noun phrase, its arguments already in words; None where there are no words for it.

    >>> call_words("ttm", ["매출액", "4"], "ko"), call_words("tmdd", ["close", "252"], "en")
    ('4분기 전 매출액(최근 4분기 합)', 'the 252-session maximum drawdown of close')
    """
    template = CALL_WORDS.get(function, ("", ""))[language == "en"]
    wanted = max((place + 1 for place in range(6) if f"{{{place}}}" in template), default=0)
    if not template or wanted > len(arguments):
        return None
    words = template.format(*arguments)
    if function in QUARTER_CALLS and len(arguments) == 2 and arguments[1] != "0":
        words = f"{arguments[1]}분기 전 {words}" if language == "ko" else f"{words} of {arguments[1]} quarters ago"
    explaining = arguments[_REGRESSIONS.get(function, len(arguments)) :]
    if explaining:
        listed = ", ".join(explaining)
        words += f" (설명 변수: {listed})" if language == "ko" else f" (explained by: {listed})"
    return words


def top_terms(formula: str) -> tuple[str, ...]:
    """The parts of a formula that is a sum, each in its canonical spelling with its sign; else the formula alone.

    Raises
    ------
    FormulaError
        Not a formula.

    >>> top_terms("(ttm(cfo)>0)+(ttm(net_income)>0)-1")
    ('ttm(cfo)>0', 'ttm(net_income)>0', '-1')
    """
    return tuple(("-" if negative else "") + _wrapped(node, negative) for negative, node in sum_terms(parse(formula)))


def _wrapped(node: Node, negative: bool) -> str:
    text = canonical(node)
    loose = isinstance(node, BinaryNode) and node.operator not in ("*", "/", "**")
    return f"({text})" if negative and loose else text


def sum_terms(node: Node) -> list[tuple[bool, Node]]:
    """The terms of a sum, and whether each is taken away; any other tree is its own only term."""
    if isinstance(node, BinaryNode) and node.operator in ("+", "-"):
        right = sum_terms(node.right) if node.operator == "+" else [(True, node.right)]
        return sum_terms(node.left) + right
    return [(False, node)]
