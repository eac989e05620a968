"""Arrays of the demo market as the datasets of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Bars, Events
from stocklab.data.demo.cast import SECTORS, Cast, Story
from stocklab.data.demo.indices import IndexLevels
from stocklab.market.panel import KIND_CODES, MARKET_CODES
from stocklab.types import AnyArray, DateArray, IntArray

__all__ = [
    "SOURCE",
    "Rows",
    "adjusted_frame",
    "delistings_frame",
    "events_frame",
    "indices_frame",
    "instruments_frame",
    "raw_frame",
]

SOURCE: Final = "demo data (synthetic)"
_MARKETS: Final = np.array(list(MARKET_CODES))
_KINDS: Final = np.array(list(KIND_CODES))
_DEPARTMENTS: Final = np.array(["우량기업부", "벤처기업부", "중견기업부", "기술성장기업부"])
_WATCHED: Final = "관리종목(소속부없음)"
_WATCH_SESSIONS: Final = 250

# story -> words of the exchange, and whether holders get about the last close
REASONS: Final = {
    Story.MERGED: ("피흡수합병", True),
    Story.VOLUNTARY: ("신청에 의한 상장폐지", True),
    Story.FAILED: ("감사의견 거절(감사범위 제한)", False),
    Story.ERODED: ("자본전액잠식", False),
    Story.DISQUALIFIED: (
        "기업의 계속성 및 경영의 투명성 등을 종합적으로 고려하여 상장폐지기준에 해당한다고 결정",
        False,
    ),
    Story.SPAC_MERGED: ("피흡수합병(스팩소멸합병)", True),
    Story.SPAC_DISSOLVED: ("해산 사유 발생", True),
}


def raw_frame(cast: Cast, bars: Bars, sessions: DateArray) -> pl.DataFrame:
    """`prices_raw`: bars as traded with change, market, market value, share count and department."""
    rows = Rows(bars)
    department = _departments(cast, bars)
    return rows.frame(cast, sessions, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.tv).with_columns(
        change=rows.take(bars.close - bars.base),
        market=pl.Series(_MARKETS).gather(rows.take(bars.market)),
        mcap=rows.take(bars.close * bars.shares),
        shares_listed=rows.take(bars.shares),
        dept=pl.Series(department[1]).gather(rows.take(department[0])),
        source=pl.lit(SOURCE),
    )


def adjusted_frame(cast: Cast, bars: Bars, events: Events, sessions: DateArray) -> pl.DataFrame:
    """`prices_adjusted`: the same bars times KRX's own later factors (base price over previous close), whole won."""
    factor = np.ones(bars.close.shape)
    for session, symbol in zip(events.session.tolist(), events.symbol.tolist(), strict=True):
        factor[:session, symbol] = bars.base[session, symbol] / bars.close[session - 1, symbol]
    prices = (_rounded(part * factor) for part in (bars.open, bars.high, bars.low, bars.close))
    volume = np.where(bars.traded, _rounded(bars.volume / factor), 0)
    return Rows(bars).frame(cast, sessions, *prices, volume, bars.tv).with_columns(source=pl.lit(SOURCE))


def indices_frame(levels: Mapping[str, IndexLevels], sessions: DateArray) -> pl.DataFrame:
    """`indices`, sorted by index and session."""
    return pl.concat(
        pl.DataFrame(
            {
                "session": sessions,
                "index": np.full(len(sessions), name),
                "open": one.open,
                "high": one.high,
                "low": one.low,
                "close": one.close,
                "volume": one.volume,
                "tv": one.tv,
            }
        )
        for name, one in sorted(levels.items())
    )


def instruments_frame(cast: Cast) -> pl.DataFrame:
    """`instruments`: every symbol ever listed, with its latest market."""
    sectors = np.array([*(name for name, _ in SECTORS), None], dtype=object)
    return pl.DataFrame(
        {
            "symbol": cast.symbols,
            "name": cast.names,
            "market": _MARKETS[cast.moves_to],
            "kind": _KINDS[cast.kind],
            "sector": pl.Series(sectors[cast.sector].tolist(), dtype=pl.String),
            "listed_on": cast.listed_on,
            "settle_month": np.where(cast.of_kind("etf"), 12, cast.settle_month).astype(np.int8),
            "corp_code": [f"99{symbol[1:5]}00" if symbol.endswith("0") else None for symbol in cast.symbols.tolist()],
        },
        schema_overrides={"corp_code": pl.String},
    )


def delistings_frame(cast: Cast, sessions: DateArray) -> pl.DataFrame:
    """`delistings`: the day after the last bar, the exchange's words, and who absorbed the issuer."""
    gone = np.flatnonzero(cast.gone_at < len(sessions))
    reasons = [REASONS[Story(cast.story[index])] for index in gone.tolist()]
    successors = [
        cast.symbols[cast.successor[index]] if cast.successor[index] >= 0 else None for index in gone.tolist()
    ]
    return pl.DataFrame(
        {
            "symbol": cast.symbols[gone],
            "name": cast.names[gone],
            "market": _MARKETS[cast.moves_to[gone]],
            "listed_on": cast.listed_on[gone],
            "delisted_on": sessions[cast.gone_at[gone]],
            "reason": [words for words, _ in reasons],
            "pays_last_close": [pays for _, pays in reasons],
            "successor": successors,
        },
        schema_overrides={"reason": pl.String, "pays_last_close": pl.Boolean, "successor": pl.String},
    )


def events_frame(cast: Cast, events: Events, sessions: DateArray) -> pl.DataFrame:
    """`events`: shares after the action for each share before, on the session its base price applies."""
    return pl.DataFrame(
        {
            "session": sessions[events.session],
            "symbol": cast.symbols[events.symbol],
            "kind": list(events.kind),
            "ratio": events.ratio,
        },
        schema_overrides={"kind": pl.String},
    )


class Rows:
    """Flattens (n_sessions, n_symbols) arrays to the listed rows, symbol by symbol."""

    def __init__(self, bars: Bars) -> None:
        self._listed = np.ascontiguousarray(bars.listed.T)
        self._traded = bars.traded.T[self._listed]

    def take(self, values: AnyArray) -> pl.Series:
        """Values of the listed rows."""
        return pl.Series(values.T[self._listed])

    def keys(self, cast: Cast, sessions: DateArray) -> pl.DataFrame:
        """Session and symbol of the listed rows."""
        symbol, session = np.nonzero(self._listed)
        return pl.DataFrame({"session": sessions[session], "symbol": pl.Series(cast.symbols).gather(symbol)})

    def frame(self, cast: Cast, sessions: DateArray, *bars: IntArray) -> pl.DataFrame:
        """Session, symbol and the six columns of a bar; open, high and low are null on a session without a trade."""
        columns = dict(zip(("open", "high", "low", "close", "volume", "tv"), map(self.take, bars), strict=True))
        frame = self.keys(cast, sessions).with_columns(**columns)
        return frame.with_columns(pl.when(pl.Series(self._traded)).then(pl.col("open", "high", "low")))


def _rounded(values: AnyArray) -> IntArray:
    return np.maximum(np.rint(values), 1).astype(np.int64)


def _departments(cast: Cast, bars: Bars) -> tuple[IntArray, list[str | None]]:
    """Code of the department of each symbol and session, and their names; None on KOSPI."""
    names: list[str | None] = [
        None,
        *_DEPARTMENTS.tolist(),
        "일반기업부",
        "SPAC(소속부없음)",
        "외국기업(소속부없음)",
        _WATCHED,
    ]
    usual = 1 + np.arange(len(cast)) % len(_DEPARTMENTS)
    usual[cast.of_kind("spac")], usual[cast.of_kind("foreign")] = 6, 7
    code = np.select([bars.market == MARKET_CODES["KOSPI"], bars.market == MARKET_CODES["KONEX"]], [0, 5], usual)
    row = np.arange(len(code))[:, None]
    doomed = np.isin(cast.story, [Story.FAILED.value, Story.ERODED.value, Story.DISQUALIFIED.value])
    watched = doomed & (row >= cast.gone_at - _WATCH_SESSIONS) & (bars.market == MARKET_CODES["KOSDAQ"])
    return np.where(watched, 8, code), names
