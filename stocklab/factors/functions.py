"""The functions of the formula language: signature and one line of help in Korean and English each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["FUNCTIONS", "Argument", "Family", "Function", "Role"]


class Family(StrEnum):
    """How a function is applied."""

    ELEMENTWISE = "elementwise"
    STATEMENT = "statement"
    DAILY = "daily"
    CROSS = "cross"


class Role(StrEnum):
    """What an argument must be."""

    VALUE = "value"  # daily, quarterly or a number
    DAILY = "daily"  # daily; quarterly values are carried to days
    QUARTERLY = "quarterly"
    FLOW = "flow"  # a statement item summed over quarters
    STOCK = "stock"  # a statement item that is a balance
    GROUP = "group"
    WINDOW = "window"  # whole number of bars or quarters, at least 1
    WHOLE = "whole"  # whole number, at least 0
    FRACTION = "fraction"  # 0 to 1
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Argument:
    """One place of a signature. ``default`` None = required; ``repeated`` = one or more from here on."""

    name: str
    role: Role
    default: float | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function users may call; ``minobs`` says whether the keyword is allowed."""

    name: str
    arguments: tuple[Argument, ...]
    family: Family
    minobs: bool
    help_ko: str
    help_en: str

    @property
    def signature(self) -> str:
        """As the help shows it.

        >>> FUNCTIONS["ema"].signature
        'ema(x,n[,k])'
        """
        text = ""
        for place, argument in enumerate(self.arguments):
            comma = "," if place else ""
            text += f"[{comma}{argument.name}]" if argument.default is not None else comma + argument.name
            text += ",..." if argument.repeated else ""
        return f"{self.name}({text}{'[,minobs=m]' if self.minobs else ''})"

    @property
    def required(self) -> int:
        """Fewest positional arguments."""
        return sum(argument.default is None for argument in self.arguments)

    @property
    def most(self) -> int:
        """Most positional arguments."""
        if not self.arguments[-1].repeated:
            return len(self.arguments)
        return len(self.arguments) + (MAX_ARGUMENTS if self.family is Family.ELEMENTWISE else MAX_REGRESSORS) - 1


MAX_ARGUMENTS: Final = 40
MAX_REGRESSORS: Final = 6


def _arguments(signature: str) -> tuple[Argument, ...]:
    parsed = []
    for part in signature.split():
        name, _, role = part.partition(":")
        repeated = role.endswith("*")
        role, _, default = role.rstrip("*").partition("=")
        parsed.append(Argument(name, Role(role), float(default) if default else None, repeated))
    return tuple(parsed)


def _rows(family: Family, minobs: bool, *rows: tuple[str, str, str, str]) -> dict[str, Function]:
    return {
        name: Function(name, _arguments(signature), family, minobs, help_ko, help_en)
        for name, signature, help_ko, help_en in rows
    }


_ELEMENTWISE = _rows(
    Family.ELEMENTWISE,
    False,
    ("abs", "x:value", "절댓값", "Absolute value"),
    ("sign", "x:value", "부호: -1, 0, 1", "Sign: -1, 0 or 1"),
    ("log", "x:value", "자연로그, x가 0 이하이면 빈 값", "Natural logarithm; null for x <= 0"),
    ("exp", "x:value", "지수함수", "Exponential"),
    ("sqrt", "x:value", "제곱근, x가 음수이면 빈 값", "Square root; null for x < 0"),
    ("max", "a:value b:value*", "인자 중 최댓값, 하나라도 비면 빈 값", "Largest argument; null if any is null"),
    ("min", "a:value b:value*", "인자 중 최솟값, 하나라도 비면 빈 값", "Smallest argument; null if any is null"),
    ("clip", "x:value lo:value hi:value", "lo와 hi 사이로 제한", "Limited to lo..hi"),
    ("pos", "x:value", "양수만 남기고 나머지는 빈 값", "x if positive, else null"),
    ("nz", "x:value", "빈 값을 0으로", "0 where null"),
    ("coalesce", "a:value b:value*", "비어 있지 않은 첫 인자", "First non-null argument"),
    (
        "navg",
        "a:value b:value*",
        "비어 있지 않은 인자의 평균, 절반 미만이면 빈 값",
        "Mean of the non-null arguments; null if fewer than half are",
    ),
    ("where", "c:value a:value b:value", "조건이 참이면 a, 아니면 b", "a where c is true, else b; null if c is null"),
    ("growth", "a:value b:value", "b에서 a로의 증가율(%), b가 0 이하이면 빈 값", "Percent from b to a; null if b <= 0"),
    ("cagr", "a:value b:value y:value", "y년 연평균 증가율(%)", "Percent a year over y years; null unless a, b > 0"),
)

_STATEMENT = _rows(
    Family.STATEMENT,
    False,
    ("qtr", "i:flow k:whole=0", "k분기 전 단일 분기 금액", "Amount of the single quarter k quarters ago"),
    ("ttm", "i:flow k:whole=0", "최근 4분기 합(k분기 전 기준)", "Sum of four quarters ending k quarters ago"),
    ("mrq", "i:stock k:whole=0", "k분기 전 분기말 잔액", "Balance at the end of the quarter k quarters ago"),
    ("qlag", "q:quarterly k:whole", "k분기 전 값", "Value k quarters earlier"),
    ("qdelta", "q:quarterly k:whole", "k분기 전과의 차이", "Change over k quarters"),
    ("avg2", "q:quarterly", "현재와 4분기 전의 평균", "Mean of now and four quarters ago"),
    ("qmean", "q:quarterly n:window", "n분기 평균", "Mean over n quarters"),
    ("qstd", "q:quarterly n:window", "n분기 표준편차", "Standard deviation over n quarters (ddof 1)"),
    ("qstreak", "c:quarterly", "조건이 연속으로 참인 분기 수", "Consecutive quarters in which c is true"),
)

_WINDOWED = _rows(
    Family.DAILY,
    True,
    ("sma", "x:daily n:window", "n일 이동평균", "Mean of n bars"),
    ("tmean", "x:daily n:window", "n일 평균", "Mean of n bars"),
    ("tsum", "x:daily n:window", "n일 합", "Sum of n bars"),
    ("tmax", "x:daily n:window", "n일 최고값", "Highest of n bars"),
    ("tmin", "x:daily n:window", "n일 최저값", "Lowest of n bars"),
    ("tcount", "c:daily n:window", "n일 중 참인 날 수", "True bars among n"),
    ("tstd", "x:daily n:window ddof:whole", "n일 표준편차(나누는 수 n-ddof)", "Standard deviation, divisor n-ddof"),
    ("tmeandev", "x:daily n:window", "평균과의 절대편차 평균", "Mean absolute deviation around the mean"),
    ("tskew", "x:daily n:window", "왜도", "Skewness, divisor n"),
    ("tquantile", "x:daily n:window p:fraction", "n일 분위수", "Quantile, linear between order statistics"),
    (
        "ttailmean",
        "x:daily n:window p:fraction",
        "분위수 이하 값의 평균",
        "Mean of the values at or below the quantile",
    ),
    ("ttopmean", "x:daily n:window k:window", "가장 큰 k개의 평균", "Mean of the k largest"),
    ("tpctrank", "x:daily n:window", "n일 안에서 오늘 값의 백분위(0~1)", "Today's percentile within n bars, 0..1"),
    ("targmax", "x:daily n:window", "최고값 이후 경과일", "Bars since the highest of n"),
    ("targmin", "x:daily n:window", "최저값 이후 경과일", "Bars since the lowest of n"),
    ("tmdd", "x:daily n:window", "n일 안의 최대낙폭(0 이상)", "Largest drawdown inside n bars, >= 0"),
    ("tslope", "x:daily n:window", "n일 추세 기울기", "Least-squares slope per bar"),
    ("tr2", "x:daily n:window", "n일 추세의 결정계수", "Squared correlation with time"),
    ("tcorr", "x:daily y:daily n:window", "n일 상관계수", "Pearson correlation"),
    ("tbeta", "y:daily x:daily n:window", "x에 대한 y의 베타", "Covariance of y and x over variance of x"),
    ("tbeta_down", "y:daily x:daily n:window", "x가 평균 미만인 날만의 베타", "The same on days with x below its mean"),
    ("tcoskew", "y:daily x:daily n:window", "공왜도", "Coskewness of y with x"),
    (
        "tolsstd",
        "y:daily n:window ddof:whole x:daily*",
        "회귀 잔차의 표준편차",
        "Residual deviation of y on 1, x, ...: sqrt(SSE/(n-ddof))",
    ),
    (
        "tolsres_ir",
        "y:daily n:window far:window near:window x:daily*",
        "회귀 잔차의 평균/표준편차(near~far-1일 전)",
        "Mean over deviation of the residuals with lags near..far-1",
    ),
)

_DAILY = _rows(
    Family.DAILY,
    False,
    ("lag", "x:daily n:window", "n일 전 값", "Value n bars ago"),
    ("delta", "x:daily n:window", "n일 전과의 차이", "Change over n bars"),
    ("ret", "x:daily n:window", "n일 수익률(0.01 = 1%)", "Return over n bars, a fraction"),
    ("streak", "c:daily", "오늘까지 연속으로 참인 날 수", "Consecutive true bars ending today"),
    ("bars_since", "c:daily", "마지막으로 참이었던 날 이후 경과일", "Bars since c was last true; null if never"),
    ("ema", "x:daily n:window k:whole=0", "지수이동평균(첫 값은 단순평균)", "Exponential average seeded with a mean"),
    ("rma", "x:daily n:window", "와일더 이동평균", "Wilder's average"),
    ("wsum", "x:daily n:window", "와일더 누적합", "Wilder's running sum"),
    (
        "psar",
        "h:daily l:daily a:positive m:positive",
        "파라볼릭 SAR(가속 a, 최대 m)",
        "Parabolic SAR, step a, at most m",
    ),
    ("obv_line", "c:daily v:daily", "OBV 누적선", "On-balance line: adds v signed by the change of c"),
    ("cs_spread1", "h:daily l:daily c:daily", "코윈-슐츠 스프레드(이틀)", "Corwin-Schultz spread of two bars"),
)

_CROSS = _rows(
    Family.CROSS,
    False,
    ("xrank", "x:daily d:whole=0", "그날 종목 순위(1이면 내림차순)", "Rank of the date; with 1: largest first"),
    ("xpct", "x:daily", "그날 백분위(0~1)", "Percentile of the date, 0..1"),
    ("xz", "x:daily", "그날 z-점수", "Z-score of the date"),
    ("xzr", "x:daily", "그날 순위의 z-점수", "Z-score of the rank"),
    ("xwinsor", "x:daily a:fraction b:fraction", "a~b 분위수로 제한", "Limited to the a and b quantiles"),
    ("xmedian_by", "x:daily g:group", "업종 중앙값", "Median within the group"),
    ("xwmean_by", "x:daily w:daily g:group", "업종 가중평균", "Weighted mean within the group"),
)

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    dict(sorted((_ELEMENTWISE | _STATEMENT | _WINDOWED | _DAILY | _CROSS).items()))
)
