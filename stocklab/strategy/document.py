"""The strategy document: one versioned JSON value behind form, text, presets, backtest and trading.

Ratios are fractions (0.08 is 8 %). Formulas are in the formula language and follow the catalogue's units
(``roe > 15``). Every model is frozen and refuses unknown keys, naming them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = [
    "SCHEMA_VERSION",
    "Allocation",
    "Costs",
    "Entry",
    "Execution",
    "ExitRules",
    "FillMode",
    "HoldingUnit",
    "MarketFilter",
    "PriceTrigger",
    "RankFactor",
    "Ranking",
    "Rebalancing",
    "Rule",
    "Sizing",
    "SizingMethod",
    "Strategy",
    "Universe",
]

SCHEMA_VERSION = 1

Formula = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Letter = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}$")]
SymbolCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{6}$|^[A-Z]{3,4}-[0-9A-Z]{1,10}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Model(BaseModel):
    """Frozen, strict about keys, NaN and infinity refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_enum_values=False)


class Market(StrEnum):
    """Markets a universe can name."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"
    UPBIT = "UPBIT"


class Exclusion(StrEnum):
    """Flags judged as of each date; a flag that is unknown does not exclude and is counted."""

    PREFERRED = "preferred"
    SPAC = "spac"
    REIT = "reit"
    ETF = "etf"
    FOREIGN = "foreign"
    ADMINISTRATIVE = "administrative"
    ATTENTION = "attention"
    HALTED = "halted"
    FINANCIAL = "financial"


class TopBy(Model):
    """Only the largest ``count`` of the universe by market cap or by 20-session mean traded value, as of the date."""

    by: Literal["market_cap", "trading_value"] = "trading_value"
    count: int = Field(ge=1, le=5000)
    skip: int = Field(default=0, ge=0, le=5000, description="leave out this many of the largest first (size classes)")


class Universe(Model):
    """Which symbols may be bought on a date."""

    markets: tuple[Market, ...] = Field(default=(Market.KOSPI, Market.KOSDAQ), min_length=1)
    sectors: tuple[str, ...] = Field(default=(), description="empty = all")
    exclude_sectors: tuple[str, ...] = ()
    themes: tuple[str, ...] = Field(default=(), description="empty = all")
    index: Literal["KOSPI200", "KOSDAQ150"] | None = None
    symbols: tuple[SymbolCode, ...] = Field(default=(), description="explicit list; empty = all")
    exclude_symbols: tuple[SymbolCode, ...] = ()
    exclude: tuple[Exclusion, ...] = (
        Exclusion.PREFERRED,
        Exclusion.SPAC,
        Exclusion.REIT,
        Exclusion.ETF,
        Exclusion.FOREIGN,
        Exclusion.ADMINISTRATIVE,
        Exclusion.ATTENTION,
        Exclusion.HALTED,
    )
    min_listed_sessions: int = Field(default=60, ge=0, le=5000)
    min_trading_value_krw: int = Field(default=0, ge=0, description="20-session mean traded value")
    min_price_krw: int = Field(default=0, ge=0)
    top: TopBy | None = None


class Rule(Model):
    """One condition, lettered. ``formula`` gives 1, 0 or null for each symbol and session; null never passes."""

    id: Letter
    formula: Formula
    note: str = Field(default="", max_length=500)


class Entry(Model):
    """Rules and how they combine. ``logic`` None means all of them; else letters with and, or, not, parentheses."""

    rules: tuple[Rule, ...] = Field(default=(), max_length=40)
    logic: str | None = Field(default=None, max_length=500)


class RankFactor(Model):
    """One part of the score. ``transform`` is applied across the universe of the session."""

    formula: Formula
    weight: float = Field(default=1.0, gt=0, le=1000)
    direction: Literal["high", "low"] = "high"
    transform: Literal["rank", "zscore", "value"] = "rank"
    neutralize: Literal["none", "sector", "sector_size"] = "none"
    winsorize: Annotated[float, Field(ge=0, lt=0.5)] = 0.0


class Ranking(Model):
    """Order of purchase: the weighted sum of the parts, higher first; ties by symbol. No parts: by symbol.

    ``keep`` "top" or "bottom" with ``count`` admits only that many of the candidates of a date (TOP_N / BOTTOM_N).
    """

    factors: tuple[RankFactor, ...] = Field(default=(), max_length=20)
    keep: Literal["all", "top", "bottom"] = "all"
    count: int = Field(default=20, ge=1, le=5000)


class SizingMethod(StrEnum):
    """How capital is split among the holdings."""

    EQUAL = "equal"
    MARKET_CAP = "market_cap"
    SCORE = "score"
    INVERSE_VOLATILITY = "inverse_volatility"
    FIXED_WEIGHT = "fixed_weight"
    FIXED_KRW = "fixed_krw"


class Sizing(Model):
    """How much of each. ``base`` says whether a weight is of today's equity or of the initial capital."""

    method: SizingMethod = SizingMethod.EQUAL
    max_holdings: int = Field(default=20, ge=1, le=500)
    weight: Fraction = Field(default=0.05, gt=0, description="fixed_weight: of the base, each")
    amount_krw: int = Field(default=1_000_000, ge=1, description="fixed_krw: each")
    volatility_sessions: int = Field(default=60, ge=5, le=756, description="inverse_volatility: window")
    max_weight: Fraction = Field(default=1.0, gt=0, description="cap on one position, of the base")
    max_sector_weight: Fraction = Field(default=1.0, gt=0, description="cap on one sector, of the base")
    max_position_krw: int | None = Field(default=None, ge=1)
    max_new_per_session: int | None = Field(default=None, ge=1, le=500)
    cash_buffer: Fraction = Field(default=0.0, lt=1, description="part of equity that is never invested")
    base: Literal["equity", "initial"] = "equity"


class FillMode(StrEnum):
    """Where an order decided at the close of t meets the market of t+1."""

    NEXT_OPEN = "next_open"
    NEXT_CLOSE = "next_close"
    LIMIT = "limit"
    VWAP_PROXY = "vwap_proxy"


class Execution(Model):
    """How orders are sent. ``limit_offset`` -0.01 buys at most 1 % below the reference; sales mirror the sign."""

    buy: FillMode = FillMode.NEXT_OPEN
    sell: FillMode = FillMode.NEXT_OPEN
    limit_offset: float = Field(default=0.0, ge=-0.3, le=0.3)
    limit_reference: Literal["previous_close", "open"] = "previous_close"
    participation: Fraction = Field(default=0.1, gt=0, description="most of the session's volume one order may take")
    carry_unfilled_sessions: int = Field(default=0, ge=0, le=20, description="sessions an unfilled rest stays alive")


class PriceTrigger(Model):
    """A price exit. ``level`` is a positive fraction of the reference; ``basis`` says which price is compared.

    ``intraday`` rests in the session and fills at the trigger (or at the open after a gap); ``close`` compares the
    close and sells in the next session by ``execution.sell``.
    """

    level: float = Field(gt=0, le=10)
    basis: Literal["intraday", "close"] = "intraday"


class HoldingUnit(StrEnum):
    """What a holding period counts."""

    SESSIONS = "sessions"
    CALENDAR_DAYS = "calendar_days"


class ExitRules(Model):
    """When a position ends; whichever comes first. In signal mode these are the only ways out."""

    target: PriceTrigger | None = None
    stop: PriceTrigger | None = None
    trailing: PriceTrigger | None = None
    min_holding: int = Field(default=0, ge=0, le=2520)
    max_holding: int | None = Field(default=None, ge=1, le=2520)
    holding_unit: HoldingUnit = HoldingUnit.SESSIONS
    min_holding_blocks_stops: bool = False
    rules: tuple[Rule, ...] = Field(default=(), max_length=40)
    logic: str | None = Field(default=None, max_length=500, description="None = any of the rules")
    rank_below: int | None = Field(default=None, ge=1, le=5000, description="sell when the rank falls below this")
    when_entry_fails: bool = False
    reentry_wait_sessions: int = Field(default=0, ge=0, le=252)


class Rebalancing(Model):
    """``signal``: buy and sell as rules fire, daily. ``target``: move the book to target weights at each period."""

    mode: Literal["signal", "target"] = "signal"
    period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"] = "monthly"
    day_shift: int = Field(default=0, ge=0, le=20, description="sessions after the first session of the period")
    drift_band: Fraction = Field(default=0.0, description="leave a position whose weight is this near its target")


class MarketFilter(Model):
    """When the market is judged unsafe the book moves to cash and no purchase is made.

    ``formula`` is evaluated on the index named (``close`` is the index); false or null = unsafe. ``months`` are
    the calendar months in which the book may be invested.
    """

    index: Literal["KOSPI", "KOSDAQ", "KOSPI200"] = "KOSPI"
    formula: Formula | None = None
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = tuple(range(1, 13))
    action: Literal["sell_all", "no_new"] = "sell_all"


class Costs(Model):
    """Commission per side, transaction tax on sales, slippage. ``tax`` "dated" follows the law by market and date."""

    commission_rate: float = Field(default=0.00015, ge=0, le=0.05)
    tax: Literal["dated"] | Annotated[float, Field(ge=0, le=0.05)] = "dated"
    slippage_rate: float = Field(default=0.001, ge=0, le=0.1, description="of price, against the order, each side")


class Allocation(Model):
    """Defaults a run starts with; a run may override them."""

    initial_cash_krw: int = Field(default=100_000_000, ge=100_000, le=10_000_000_000_000)


class Tags(Model):
    """How presets are found."""

    style: tuple[str, ...] = ()
    horizon: Literal["short", "medium", "long"] | None = None
    risk: Literal["low", "medium", "high"] | None = None


class Strategy(Model):
    """The whole document. ``stocklab strategy schema`` prints its JSON schema."""

    schema_version: Literal[1] = SCHEMA_VERSION
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    description: str = Field(default="", max_length=4000)
    tags: Tags = Tags()
    universe: Universe = Universe()
    entry: Entry = Entry()
    ranking: Ranking = Ranking()
    sizing: Sizing = Sizing()
    execution: Execution = Execution()
    exit: ExitRules = ExitRules()
    rebalancing: Rebalancing = Rebalancing()
    market_filter: MarketFilter | None = None
    costs: Costs = Costs()
    benchmark: Literal["KOSPI", "KOSDAQ", "KOSPI200"] = "KOSPI"
    allocation: Allocation = Allocation()
