"""Every figure of a run in words, Korean and English: formula, inputs, pitfalls. A test compares both lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["METRICS", "MetricInfo", "Unit"]

Unit = Literal["fraction", "ratio", "krw", "days", "count", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricInfo:
    """One figure. ``unit`` says how to show it: a fraction as percent, a ratio as it is, days are calendar days."""

    key: str
    unit: Unit
    name_ko: str
    name_en: str
    formula_ko: str
    formula_en: str
    inputs_ko: str
    inputs_en: str
    pitfalls_ko: str
    pitfalls_en: str


_EQUITY = ("일별 평가금액(현금 + 보유 종가 평가)", "equity at each close (cash + holdings at the close)")
_RETURNS = ("평가금액의 일간 수익률", "daily returns of equity")
_SALES = (
    "매도 주문별 실현손익(선입선출, 모든 비용 차감)",
    "profit of each sale order, first in first out, net of all costs",
)
_FILLS = ("체결 내역", "fills")
_INDEX = ("비교지수 종가", "closes of the benchmark index")

_ROWS: Final[tuple[tuple[str, Unit, str, str, str, str, tuple[str, str], str, str], ...]] = (
    # key, unit, name ko, name en, formula ko, formula en, inputs, pitfalls ko, pitfalls en
    (
        "total_return", "fraction", "총수익률", "Total return",
        "마지막 평가금액 / 시작 현금 - 1", "last equity / starting cash - 1", _EQUITY,
        "기간이 다르면 비교할 수 없습니다. 현금배당은 원주가 실행에서만, 지급일에 들어갑니다.",
        "Not comparable between ranges of different length. Cash dividends are booked on raw prices only, when paid.",
    ),
    (
        "cagr", "fraction", "연복리수익률(CAGR)", "CAGR",
        "(마지막 평가금액 / 시작 현금)^(365.25 / 달력일수) - 1",
        "(last equity / starting cash)^(365.25 / calendar days) - 1", _EQUITY,
        "1년이 안 되는 기간에서는 부풀려집니다. 시작일과 종료일에 민감합니다.",
        "Exaggerates ranges shorter than a year; sensitive to the first and last day.",
    ),
    (
        "volatility", "fraction", "변동성(연)", "Volatility (annual)",
        "일간 수익률 표준편차(n-1) x 제곱근(연간 거래일수)",
        "standard deviation (n-1) of daily returns x sqrt(sessions per year)", _RETURNS,
        "상승과 하락을 구분하지 않으며, 극단적인 날을 과소평가합니다.",
        "Does not tell rises from falls and understates extreme days.",
    ),
    (
        "max_drawdown", "fraction", "최대낙폭(MDD)", "Maximum drawdown",
        "최솟값(평가금액 / 그때까지의 최고 평가금액 - 1)", "minimum of equity / highest equity so far - 1", _EQUITY,
        "종가 기준이라 장중 낙폭은 더 클 수 있습니다. 과거 최대가 미래의 한계는 아닙니다.",
        "On closes: falls within a session can be deeper. The worst so far is no bound for the future.",
    ),
    (
        "max_drawdown_peak", "date", "최대낙폭 시작일", "Drawdown peak",
        "최대낙폭 직전 최고점의 날짜", "date of the peak before the deepest fall", _EQUITY, "", "",
    ),
    (
        "max_drawdown_trough", "date", "최대낙폭 저점일", "Drawdown trough",
        "최대낙폭의 날짜", "date of the deepest fall", _EQUITY, "", "",
    ),
    (
        "max_drawdown_recovery", "date", "최대낙폭 회복일", "Drawdown recovery",
        "저점 뒤 이전 최고점을 처음 되찾은 날짜", "first close back at the peak", _EQUITY,
        "비어 있으면 아직 회복하지 못했습니다.", "Empty: not recovered yet.",
    ),
    (
        "sharpe", "ratio", "샤프지수", "Sharpe ratio",
        "초과수익률 평균 / 초과수익률 표준편차(n-1) x 제곱근(연간 거래일수)",
        "mean / standard deviation (n-1) of excess returns x sqrt(sessions per year)", _RETURNS,
        "무위험수익률 자료가 없으면 0으로 둡니다(실행 카드 참조). 여러 전략을 시험하고 고르면 부풀려집니다.",
        "The risk-free rate is 0 where no series is loaded (see the run card). Choosing among many trials inflates it.",
    ),
    (
        "sortino", "ratio", "소르티노지수", "Sortino ratio",
        "초과수익률 평균 / 제곱근(평균(min(초과수익률, 0)^2)) x 제곱근(연간 거래일수)",
        "mean excess return / sqrt(mean of min(excess, 0)^2) x sqrt(sessions per year)", _RETURNS,
        "분모는 모든 날로 나눕니다. 하락한 날이 적으면 불안정합니다.",
        "The divisor counts all sessions. Unstable when falls are few.",
    ),
    (
        "calmar", "ratio", "칼마지수", "Calmar ratio",
        "연복리수익률 / |최대낙폭|", "CAGR / |maximum drawdown|", _EQUITY,
        "한 번의 낙폭이 결과를 정합니다.", "A single fall decides it.",
    ),
    (
        "win_rate", "fraction", "승률", "Win rate",
        "이익을 낸 매도 주문 / 모든 매도 주문", "profitable sale orders / all sale orders", _SALES,
        "이익과 손실의 크기를 보지 않습니다. 아직 보유 중인 종목은 빠져 있습니다.",
        "Ignores the size of wins and losses. What is still held is not in it.",
    ),
    (
        "profit_factor", "ratio", "수익 팩터(총이익/총손실)", "Profit factor",
        "이익 합계 / |손실 합계|", "sum of profits / |sum of losses|", _SALES,
        "손실이 없으면 비어 있습니다. 몇 건의 큰 이익이 좌우할 수 있습니다.",
        "Empty without losses. A few large wins can carry it.",
    ),
    (
        "n_trades", "count", "거래 수", "Trades",
        "체결된 매도 주문 수(매수와 선입선출로 짝지음)",
        "sale orders filled, matched with purchases first in first out",
        _SALES, "50건보다 적으면 통계로 보기 어렵습니다.", "Fewer than 50 say little.",
    ),
    (
        "avg_holding_days", "days", "평균 보유일수", "Average holding period",
        "매도 주문별 보유 달력일수(주식 수 가중)의 평균",
        "mean over sale orders of calendar days held, weighted by shares",
        _SALES, "보유 중인 종목은 빠져 있어 실제보다 짧을 수 있습니다.", "What is still held is not in it.",
    ),
    (
        "avg_win_krw", "krw", "평균 이익", "Average win",
        "이익을 낸 매도 주문의 평균 손익", "mean profit of profitable sale orders", _SALES,
        "자금이 커지면 함께 커집니다.", "Grows with the capital.",
    ),
    (
        "avg_loss_krw", "krw", "평균 손실", "Average loss",
        "손실을 낸 매도 주문의 평균 손익", "mean profit of losing sale orders", _SALES,
        "자금이 커지면 함께 커집니다.", "Grows with the capital.",
    ),
    (
        "realized_profit_krw", "krw", "실현손익", "Realised profit",
        "모든 매도 주문의 손익 합계", "sum of the profits of all sale orders", _SALES,
        "보유 중인 종목의 평가손익은 빠져 있습니다.", "Without what open positions have gained or lost.",
    ),
    (
        "turnover", "ratio", "회전율(연)", "Turnover (annual)",
        "min(매수 합계, 매도 합계) / 평균 평가금액 / 연수", "min(purchases, sales) / mean equity / years", _FILLS,
        "1은 1년에 한 번 모두 갈아탄 것입니다. 높을수록 비용과 슬리피지 가정이 중요해집니다.",
        "1 = everything replaced once a year. The higher, the more the cost assumptions decide.",
    ),
    (
        "exposure", "fraction", "주식 비중(평균)", "Exposure",
        "평균(보유 평가금액 / 평가금액)", "mean of holdings / equity", _EQUITY,
        "현금이 많은 전략은 변동성도 낮게 나옵니다.", "A book in cash looks calm.",
    ),
    (
        "cost_share", "fraction", "비용 비중", "Cost share",
        "비용 합계 / (순이익 + 비용 합계)", "all costs / (profit + all costs)", _FILLS,
        "비용 전 이익이 없으면 비어 있습니다. 슬리피지는 가정입니다.",
        "Empty where there was no profit before costs. Slippage is an assumption.",
    ),
    (
        "cost_per_year", "fraction", "연간 비용률", "Costs per year",
        "비용 합계 / 평균 평가금액 / 연수", "all costs / mean equity / years", _FILLS,
        "수수료, 거래세, 슬리피지의 합입니다.", "Commission, tax and slippage together.",
    ),
    (
        "costs_krw", "krw", "비용 합계", "Costs",
        "수수료 + 거래세 + 슬리피지", "commission + tax + slippage", _FILLS, "", "",
    ),
    (
        "commission_krw", "krw", "수수료", "Commission",
        "체결금액 x 수수료율의 합(원 미만 버림)", "sum of amount x rate, rounded down to the won", _FILLS, "", "",
    ),
    (
        "tax_krw", "krw", "거래세", "Transaction tax",
        "매도금액 x 체결일과 시장의 세율의 합(원 미만 버림)", "sum of sales x rate by trade date and market", _FILLS,
        "배당소득세와 양도소득세는 들어 있지 않습니다.", "Without taxes on dividends or gains.",
    ),
    (
        "slippage_krw", "krw", "슬리피지", "Slippage",
        "(체결가 - 기준가) x 주식 수 + 고저가에 막혀 따로 매긴 비용",
        "(fill price - reference price) x shares + what was charged where the day's range clipped the price", _FILLS,
        "호가단위 올림과 내림도 포함됩니다.", "Includes rounding to ticks.",
    ),
    (
        "dividends_krw", "krw", "배당금(세후)", "Dividends (after tax)",
        "지급된 현금배당 - 원천징수 15.4 %", "cash dividends paid - 15.4 % withheld",
        ("배당락 전일 종가의 보유 주식 수와 주당 배당금", "shares held at the close before the ex-date; amounts"),
        "원주가 실행에서 배당 데이터가 있을 때만 계산합니다. 지급 전의 배당은 평가금액에 없습니다.",
        "Only on raw prices with dividend data; what is not paid yet is not in equity.",
    ),
    (
        "profit_krw", "krw", "순이익", "Profit",
        "마지막 평가금액 - 시작 현금", "last equity - starting cash", _EQUITY, "", "",
    ),
    (
        "final_equity_krw", "krw", "최종 평가금액", "Final equity",
        "마지막 종가의 평가금액", "equity at the last close",
        _EQUITY, "", "",
    ),
    (
        "benchmark_return", "fraction", "비교지수 수익률", "Benchmark return",
        "마지막 지수 / 첫 지수 - 1", "last level / first level - 1", _INDEX,
        "배당을 뺀 가격지수입니다.", "A price index, without dividends.",
    ),
    (
        "benchmark_cagr", "fraction", "비교지수 연복리수익률", "Benchmark CAGR",
        "(마지막 지수 / 첫 지수)^(365.25 / 달력일수) - 1",
        "(last level / first level)^(365.25 / calendar days) - 1", _INDEX,
        "배당을 뺀 가격지수입니다.", "A price index, without dividends.",
    ),
    (
        "benchmark_max_drawdown", "fraction", "비교지수 최대낙폭", "Benchmark drawdown",
        "최솟값(지수 / 그때까지의 최고 지수 - 1)", "minimum of level / highest level so far - 1", _INDEX, "", "",
    ),
    (
        "excess_return", "fraction", "초과수익률", "Excess return",
        "총수익률 - 비교지수 수익률", "total return - benchmark return", _INDEX,
        "위험을 맞추지 않은 차이입니다.", "A plain difference, not adjusted for risk.",
    ),
    (
        "beta", "ratio", "베타", "Beta",
        "공분산(초과수익률, 지수 초과수익률) / 분산(지수 초과수익률)",
        "cov(excess return, index excess return) / var(index excess return)", _INDEX,
        "전체 기간의 평균입니다. 시기마다 다릅니다.", "An average over the run; it changes with time.",
    ),
    (
        "alpha", "fraction", "알파(연)", "Alpha (annual)",
        "(초과수익률 평균 - 베타 x 지수 초과수익률 평균) x 연간 거래일수",
        "(mean excess return - beta x mean index excess return) x sessions per year", _INDEX,
        "지수 하나로 설명되지 않는 부분일 뿐, 실력의 증거는 아닙니다.",
        "What one index does not explain; no proof of skill.",
    ),
    (
        "best_day", "fraction", "최고의 하루", "Best session",
        "일간 수익률의 최댓값", "largest daily return",
        _RETURNS, "", "",
    ),
    (
        "worst_day", "fraction", "최악의 하루", "Worst session",
        "일간 수익률의 최솟값", "smallest daily return",
        _RETURNS, "", "",
    ),
    (
        "sessions_per_year", "ratio", "연간 거래일수", "Sessions per year",
        "기간의 거래일수 / 기간의 연수", "sessions of the run / its years", _EQUITY,
        "252가 아니라 이 기간의 실제 거래일수입니다.", "The run's own count, not 252.",
    ),
    ("n_buys", "count", "매수 체결 수", "Purchases filled", "매수 체결 건수", "fills of purchases", _FILLS, "", ""),
    ("n_sells", "count", "매도 체결 수", "Sales filled", "매도 체결 건수", "fills of sales", _FILLS, "", ""),
    ("n_orders", "count", "주문 수", "Orders", "모든 주문", "all orders", ("주문 내역", "orders"), "", ""),
    (
        "n_unfilled", "count", "미체결 주문 수", "Orders not filled whole",
        "주문 수량보다 적게 체결된 주문", "orders that filled less than ordered", ("주문 내역", "orders"),
        "이유는 주문마다 남아 있습니다.", "Each keeps its reason.",
    ),
)  # fmt: skip

METRICS: Final[Mapping[str, MetricInfo]] = {
    key: MetricInfo(
        key=key,
        unit=unit,
        name_ko=name_ko,
        name_en=name_en,
        formula_ko=formula_ko,
        formula_en=formula_en,
        inputs_ko=inputs[0],
        inputs_en=inputs[1],
        pitfalls_ko=pitfalls_ko,
        pitfalls_en=pitfalls_en,
    )
    for key, unit, name_ko, name_en, formula_ko, formula_en, inputs, pitfalls_ko, pitfalls_en in _ROWS
}
"""Key in ``Result.metrics`` -> its explanation."""
