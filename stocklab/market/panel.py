"""`Panel`: the value every computation runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.market.entitlements import NO_ENTITLEMENTS, Entitlements
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.memberships import NO_MEMBERSHIPS, Memberships
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray, IntArray

__all__ = ["COIN_UNIT", "KIND_CODES", "KRX_BASES", "MARKET_CODES", "Instruments", "Panel", "PriceBasis"]

MARKET_CODES = {"": 0, "KOSPI": 1, "KOSDAQ": 2, "KONEX": 3, "UPBIT": 4}
KIND_CODES = {"": 0, "common": 1, "preferred": 2, "spac": 3, "reit": 4, "etf": 5, "foreign": 6, "coin": 7}

COIN_UNIT: Final = 100_000_000
"""Units in a won and in a coin: Upbit's quantities and its smallest tick have eight decimals."""


class PriceBasis(StrEnum):
    """Which bars a run trades on; they are never mixed within a run.

    ``coin``: coins of Upbit's won market, on their own calendar; a panel is either of KRX or of coins.
    """

    RAW = "raw"
    ADJUSTED = "adjusted"
    COIN = "coin"


KRX_BASES: Final = (PriceBasis.RAW, PriceBasis.ADJUSTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What is known of each symbol, aligned with ``Panel.symbols``; every tuple or array has one entry each.

    ``sectors`` is "" where unknown. ``delisted_on`` is NaT where no delisting is recorded; ``delisting_reason``
    the exchange's words, "" where none; ``financial`` True where the issuer uses the statement layout of banks,
    insurers, brokers and the like (docs/factors.md 4.8), False also where the sector is unknown; ``pays_last_close``
    True where the reason is a merger, transfer or voluntary delisting (holders are paid about the last close), False
    where the value is lost.
    """

    names: tuple[str, ...]
    sectors: tuple[str, ...]
    kinds: AnyArray  # uint8, KIND_CODES
    listed_on: DateArray
    delisted_on: DateArray
    delisting_reason: tuple[str, ...]
    pays_last_close: BoolArray
    financial: BoolArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Daily bars of a whole market on one price basis.

    Of coins a session is a UTC day, a symbol a market such as "KRW-BTC", prices are float64 with up to eight decimals
    and volumes are in coins.

    Attributes
    ----------
    sessions : (n_sessions,) datetime64[D], ascending
    symbols : n_symbols six-character codes, ascending
    fields : name -> (n_sessions, n_symbols), C order, read-only (often memory-mapped)
        Always: ``open high low close`` (float32 where lossless, else float64; adjusted to the snapshot date, NaN =
        unknown; on a no-trade day all four are the carried close), ``volume`` (float64 shares, adjusted; 0 on a
        no-trade day), ``tv`` (float64 KRW), ``list_age`` (float32 sessions, 1 = first), ``listed`` (bool), ``traded``
        (bool: the session had a trade, so orders can fill), ``market`` (uint8, MARKET_CODES, as of the session).
        On the raw basis also: ``open_raw high_raw low_raw close_raw volume_raw`` as traded, ``base_price`` (KRW, KRX's
        own reference price of the session), ``split_ratio`` (float32, new shares per old share taking effect at this
        session's open, else 1).
        Where data exists: ``mcap mcap_pref shares_listed shares_float`` (float64), ``flag_administrative`` and the
        other `issue_flags` (uint8: 0 no, 1 yes, 255 unknown), ``shares_treasury frgn_net inst_net pension_net
        frgn_shares short_vol short_bal`` (float64, each in the row in which it was public). A field that is absent is
        unknown everywhere.
    series : name -> (n_sessions,) float64 daily fields that are the same for every symbol: ``smb hml``; NaN = unknown
    indices : name -> (n_sessions,) float64 closes of "KOSPI", "KOSDAQ", "KOSPI200" (of coins: "KRW-BTC"); NaN = unknown
    rf : (n_sessions,) float64 daily simple risk-free rate; all 0 with ``rf_known`` False where no series is loaded
    tv_estimated : True where ``tv`` is close x volume because no traded value was published
    synthetic : True for the demo market
    key : identifies the content (snapshot id + basis + statement mode); caches hang on it
    fundamentals : statement figures as they became public; None where no statements are loaded
    entitlements : dividends, bonus shares before they list, rights; only on the raw basis
    memberships : members of indices, themes and sectors as listed on dates
    by_symbol : name -> (the field, the same values as (n_symbols, n_sessions)); see `turned`
    """

    sessions: DateArray
    symbols: tuple[str, ...]
    fields: Mapping[str, AnyArray]
    indices: Mapping[str, FloatArray]
    instruments: Instruments
    rf: FloatArray
    rf_known: bool
    basis: PriceBasis
    snapshot_id: str
    synthetic: bool
    tv_estimated: bool
    key: str
    notes: tuple[str, ...] = field(default=())
    fundamentals: Fundamentals | None = None
    by_symbol: Mapping[str, tuple[AnyArray, AnyArray]] = field(default_factory=dict)
    series: Mapping[str, FloatArray] = field(default_factory=dict)
    entitlements: Entitlements = field(default=NO_ENTITLEMENTS)
    memberships: Memberships = field(default=NO_MEMBERSHIPS)

    def turned(self, name: str) -> AnyArray | None:
        """A field as (n_symbols, n_sessions), where a copy is stored that way; None where there is none.

        Reading a symbol's history from it takes a quarter of the time.
        """
        original, turned = self.by_symbol.get(name, (None, None))
        return turned if original is self.fields.get(name) else None  # a field that was replaced has no copy

    @property
    def n_sessions(self) -> int:
        """Number of sessions."""
        return len(self.sessions)

    @property
    def n_symbols(self) -> int:
        """Number of symbols."""
        return len(self.symbols)

    @property
    def unit(self) -> int:
        """Units in a won and in a share: 1, or `COIN_UNIT` for coins. The ledger counts in them."""
        return COIN_UNIT if self.basis is PriceBasis.COIN else 1

    @property
    def order_fields(self) -> tuple[str, str, str, str, str]:
        """Names of the open, high, low, close and volume that orders meet on this basis."""
        if self.basis is PriceBasis.RAW:
            return ("open_raw", "high_raw", "low_raw", "close_raw", "volume_raw")
        return ("open", "high", "low", "close", "volume")

    def column(self, symbol: str) -> int:
        """Index of ``symbol``.

        Raises
        ------
        InputError
            The symbol is not in the panel.
        """
        position = int(np.searchsorted(np.asarray(self.symbols), symbol))
        if position < self.n_symbols and self.symbols[position] == symbol:
            return position
        raise InputError(f"Symbol {symbol!r} is not in this snapshot. Hint: `stocklab data status` lists what is.")

    def span(self, start: date, end: date) -> tuple[int, int]:
        """Half-open range of session indices inside [start, end].

        Raises
        ------
        InputError
            start > end, or no session lies between them.
        """
        if start > end:
            raise InputError(f"The start {start} is after the end {end}. Hint: exchange them.")
        first = int(np.searchsorted(self.sessions, np.datetime64(start, "D"), side="left"))
        last = int(np.searchsorted(self.sessions, np.datetime64(end, "D"), side="right"))
        if first >= last:
            raise InputError(
                f"No session between {start} and {end}. "
                f"Expected a range within {self.sessions[0]} and {self.sessions[-1]}."
            )
        return first, last

    def sector_codes(self) -> tuple[IntArray, tuple[str, ...]]:
        """Sector of each symbol as (n_symbols,) int64 codes, -1 = unknown, and the sorted names they index."""
        names = tuple(sorted({name for name in self.instruments.sectors if name}))
        order = {name: code for code, name in enumerate(names)}
        return np.array([order.get(name, -1) for name in self.instruments.sectors], dtype=np.int64), names
