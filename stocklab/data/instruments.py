"""The instruments of a panel: master, delistings and what the code and name themselves say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.data.snapshot import Snapshot
from stocklab.market.financial_sector import is_financial
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Instruments
from stocklab.types import AnyArray, DateArray

__all__ = ["InstrumentTable", "derive_kind", "instrument_table", "pays_last_close"]

# Reasons after which holders receive about the last close: shares of the successor, cash of a tender offer or trust,
# or the same share on another market. Words of the exchange's own list (KRX 상장폐지현황, 사유).
_PAYING_REASONS: Final = (
    "흡수합병",
    "흡수 합병",
    "완전자회사",
    "주식교환",
    "신청에 의한",
    "상장폐지신청",
    "상장폐지 신청",
    "종목별 상장폐지신청",
    "취소신청",
    "취소 신청",
    "이전상장",
    "시장이전",
    "시장 이전",
    "유가증권시장 상장",
    "코스닥시장 상장",
    "지주회사",
    "존속기간",
    "만기",
    "기간의 만료",
)
_SPAC_WORDS: Final = ("스팩", "기업인수목적", "SPAC")


def pays_last_close(reason: str | None, name: str | None) -> bool:
    """Whether holders of a delisted share received about its last close.

    True for mergers, exchanges, voluntary delistings, market transfers and ends of term; also for every SPAC, whose
    proceeds lie in trust and are paid back when no merger comes. False where the reason is unknown.

    >>> pays_last_close("피흡수합병", "갑"), pays_last_close("감사의견 거절(계속기업 존속능력에 대한 불확실성)", "을")
    (True, False)
    """
    if any(word in (name or "") for word in _SPAC_WORDS):
        return True
    return any(word in (reason or "") for word in _PAYING_REASONS)


def derive_kind(symbol: str, name: str, kind: str = "") -> str:
    """Kind of an instrument (a name of KIND_CODES) from its code and name, unless ``kind`` says more than "common".

    KRX codes of foreign issuers begin with 9; preferred shares do not end in 0; a SPAC says so in its name.

    >>> derive_kind("005935", "삼성전자우"), derive_kind("900140", "엘브이엠씨홀딩스", "common")
    ('preferred', 'foreign')
    """
    if kind not in {"", "common"}:
        return kind
    if any(word in name for word in _SPAC_WORDS):
        return "spac"
    if len(symbol) != 6:
        return kind
    if symbol.startswith("9"):
        return "foreign"
    return "common" if kind or symbol.endswith("0") else "preferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentTable:
    """`Instruments` of the panel's symbols, plus the market the master gives each (MARKET_CODES)."""

    instruments: Instruments
    markets: AnyArray


def instrument_table(snapshot: Snapshot, symbols: Sequence[str], last_traded: DateArray) -> InstrumentTable:
    """What a snapshot knows of each symbol.

    Parameters
    ----------
    symbols : n_symbols codes, ascending
    last_traded : (n_symbols,) datetime64[D]
        Last session with a trade, NaT = never traded. A delisting on or before it did not end the code (a market
        transfer or a code used again) and is left out.
    """
    master = _rows(snapshot, "instruments")
    gone = _last_delistings(snapshot, symbols, last_traded, master)
    names, sectors, kinds, markets, listed, delisted, reasons, pays = [], [], [], [], [], [], [], []
    fallback = _market_of_last_bar(snapshot)
    for symbol in symbols:
        row, end = master.get(symbol, {}), gone.get(symbol, {})
        name = row.get("name") or end.get("name") or ""
        names.append(name)
        sectors.append(row.get("sector") or "")
        kinds.append(KIND_CODES.get(derive_kind(symbol, name, row.get("kind") or ""), 0))
        market = row.get("market") or end.get("market") or fallback.get(symbol, "")
        markets.append(MARKET_CODES.get(market, 0))
        listed.append(row.get("listed_on") or end.get("listed_on"))
        delisted.append(end.get("delisted_on"))
        reasons.append(end.get("reason") or "")
        pays.append(bool(end.get("pays_last_close", False)))
    instruments = Instruments(
        names=tuple(names),
        sectors=tuple(sectors),
        kinds=np.array(kinds, dtype=np.uint8),
        listed_on=_days(listed),
        delisted_on=_days(delisted),
        delisting_reason=tuple(reasons),
        pays_last_close=np.array(pays, dtype=np.bool_),
        financial=np.array(
            [is_financial(sector, name) for sector, name in zip(sectors, names, strict=True)], dtype=np.bool_
        ),
    )
    return InstrumentTable(instruments=instruments, markets=np.array(markets, dtype=np.uint8))


def _rows(snapshot: Snapshot, name: str) -> dict[str, dict[str, Any]]:
    if not snapshot.has(name):
        return {}
    return {row["symbol"]: row for row in snapshot.scan(name).collect().iter_rows(named=True)}


def _last_delistings(
    snapshot: Snapshot, symbols: Sequence[str], last_traded: DateArray, master: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    if not snapshot.has("delistings"):
        return {}
    found: dict[str, dict[str, Any]] = {}
    position = {symbol: column for column, symbol in enumerate(symbols)}
    for row in snapshot.scan("delistings").sort("symbol", "delisted_on").collect().iter_rows(named=True):
        column = position.get(row["symbol"])
        if column is None:
            continue
        relisted = master.get(row["symbol"], {}).get("listed_on")
        if relisted is not None and relisted >= row["delisted_on"]:
            continue
        traded = last_traded[column]
        if np.isnat(traded) or traded < np.datetime64(row["delisted_on"], "D"):
            found[row["symbol"]] = row
    return found


def _market_of_last_bar(snapshot: Snapshot) -> dict[str, str]:
    if not snapshot.has("prices_raw"):
        return {}
    last = snapshot.scan("prices_raw").select("symbol", "session", "market").group_by("symbol")
    return dict(last.agg(pl.col("market").sort_by("session").last()).collect().rows())


def _days(values: Sequence[date | None]) -> DateArray:
    return np.array(
        [np.datetime64("NaT") if day is None else np.datetime64(day) for day in values], dtype="datetime64[D]"
    )
