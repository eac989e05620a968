"""Falls of the Korean markets, as rows with dates, levels and source.

Every row has one window for all markets, from close to close, so that its moves happened together: from the peak to the
trough of the market that names it. Where another market turned on other days its own fall was deeper.

Sources. KRX: closes of the KOSPI and KOSDAQ composite indices (data.krx.co.kr, "Index"; KOSDAQ in points of today, ten
times those quoted before 2004-01-26). UPBIT: closes of KRW-BTC's UTC days on Upbit, of the day before the session, as
`coins_on_sessions` takes them. USD: daily closes of bitcoin in dollars (CoinMarketCap), an approximation: there is no
public record of won prices to lean on, and in January 2018, when the premium of Korean exchanges vanished as well, the
fall in won was deeper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

__all__ = ["BITCOIN", "INDEX_OF_MARKET", "SCENARIOS", "Move", "MoveSource", "Scenario"]

BITCOIN: Final = "KRW-BTC"
INDEX_OF_MARKET: Final = {"KOSPI": "KOSPI", "KOSDAQ": "KOSDAQ", "KONEX": "KOSDAQ", "UPBIT": BITCOIN}
"""Market of a holding -> the index whose fall it shares. KONEX has none of its own."""


class MoveSource(StrEnum):
    """Where the levels of a move are from."""

    KRX = "krx"
    UPBIT = "upbit"
    USD = "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Levels of an index at both ends of a scenario."""

    before: float
    after: float
    source: MoveSource

    @property
    def change(self) -> float:
        """The fall, as a fraction."""
        return self.after / self.before - 1.0

    @property
    def approximate(self) -> bool:
        """Whether it was measured elsewhere than on the market it stands for."""
        return self.source is MoveSource.USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happened between the closes of two sessions. A market that did not exist yet has no move."""

    scenario_id: str
    name: str
    start: date
    end: date
    moves: Mapping[str, Move]


def _krx(kospi: tuple[float, float], kosdaq: tuple[float, float], bitcoin: Move | None = None) -> dict[str, Move]:
    moves = {
        "KOSPI": Move(before=kospi[0], after=kospi[1], source=MoveSource.KRX),
        "KOSDAQ": Move(before=kosdaq[0], after=kosdaq[1], source=MoveSource.KRX),
    }
    return moves if bitcoin is None else moves | {BITCOIN: bitcoin}


def _upbit(before: int, after: int) -> Move:
    return Move(before=before, after=after, source=MoveSource.UPBIT)


SCENARIOS: Final = (
    Scenario(
        scenario_id="imf_1997",
        name="Currency crisis and IMF programme",
        start=date(1997, 6, 17),
        end=date(1998, 6, 16),
        moves=_krx((792.29, 280.00), (1357.30, 734.80)),
    ),
    Scenario(
        scenario_id="dotcom_2000",
        name="End of the dot-com boom",
        start=date(2000, 3, 10),
        end=date(2000, 12, 26),
        moves=_krx((891.36, 504.62), (2834.40, 525.80)),
    ),
    Scenario(
        scenario_id="financial_2008",
        name="Global financial crisis",
        start=date(2007, 10, 31),
        end=date(2008, 10, 24),
        moves=_krx((2064.85, 938.75), (810.07, 276.68)),
    ),
    Scenario(
        scenario_id="downgrade_2011",
        name="Rating of the United States and the euro, August 2011",
        start=date(2011, 8, 1),
        end=date(2011, 8, 22),
        moves=_krx((2172.31, 1710.70), (544.39, 465.90)),
    ),
    Scenario(
        scenario_id="china_2015",
        name="China's devaluation, to 24 August 2015",
        start=date(2015, 7, 20),
        end=date(2015, 8, 24),
        moves=_krx((2073.31, 1829.81), (782.64, 613.33)),
    ),
    Scenario(
        scenario_id="october_2018",
        name="October 2018",
        start=date(2018, 9, 27),
        end=date(2018, 10, 29),
        moves=_krx((2355.43, 1996.05), (833.01, 629.70)),
    ),
    Scenario(
        scenario_id="covid_2020",
        name="COVID-19",
        start=date(2020, 1, 22),
        end=date(2020, 3, 19),
        moves=_krx((2267.25, 1457.64), (688.25, 428.35)),
    ),
    Scenario(
        scenario_id="rates_2022",
        name="Rising interest rates",
        start=date(2022, 1, 4),
        end=date(2022, 9, 30),
        moves=_krx((2989.24, 2155.49), (1031.66, 672.65), _upbit(56_641_000, 28_033_000)),
    ),
    Scenario(
        scenario_id="august_2024",
        name="Unwinding of yen carry trades, 5 August 2024",
        start=date(2024, 8, 1),
        end=date(2024, 8, 5),
        moves=_krx((2777.68, 2441.55), (813.53, 691.28), _upbit(90_345_000, 81_871_000)),
    ),
    Scenario(
        scenario_id="coins_2018",
        name="Coins, January 2018",
        start=date(2018, 1, 8),
        end=date(2018, 2, 6),
        moves=_krx(
            (2513.28, 2453.31),
            (839.51, 858.17),
            Move(before=16_477.60, after=6_955.27, source=MoveSource.USD),
        ),
    ),
    Scenario(
        scenario_id="coins_2020",
        name="Coins, 12 March 2020",
        start=date(2020, 3, 12),
        end=date(2020, 3, 13),
        moves=_krx(
            (1834.33, 1771.44),
            (563.49, 524.00),
            Move(before=7_911.43, after=4_970.79, source=MoveSource.USD),
        ),
    ),
    Scenario(
        scenario_id="coins_2022_luna",
        name="Coins, Luna and the lenders after it",
        start=date(2022, 5, 6),
        end=date(2022, 6, 20),
        moves=_krx((2644.51, 2391.03), (884.22, 769.92), _upbit(47_647_000, 26_642_000)),
    ),
    Scenario(
        scenario_id="coins_2022_ftx",
        name="Coins, FTX",
        start=date(2022, 11, 7),
        end=date(2022, 11, 10),
        moves=_krx((2371.79, 2402.23), (700.48, 707.78), _upbit(29_473_000, 22_919_000)),
    ),
)
"""By date, markets of KRX first. The window of coins on 12 March 2020 is one UTC day: it ended on the 13th in Seoul."""
