"""The strategy document: one versioned JSON value behind form, text, presets, backtest and trading.

Ratios are fractions (0.08 is 8 %). Formulas are in the formula language and follow the catalogue's units
(``roe > 15``). Every model is frozen and refuses unknown keys, naming them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stocklab.market.fundamentals import StatementMode
from stocklab.market.upbit import COMMISSION_RATE

__all__ = [
    "COIN_BENCHMARK",
    "SCHEMA_VERSION",
    "Allocation",
    "Costs",
    "Entry",
    "Exclusion",
    "Execution",
    "ExitRules",
    "FillMode",
    "HoldingUnit",
    "Market",
    "MarketFilter",
    "Model",
    "OwnFactor",
    "PriceTrigger",
    "RankFactor",
    "Ranking",
    "Rebalancing",
    "Rule",
    "Sizing",
    "SizingMethod",
    "StatementMode",
    "Strategy",
    "Tags",
    "TopBy",
    "Universe",
]

SCHEMA_VERSION: Final = 1
MOST_KRW: Final = 10**15
"""Largest amount a document may name: a thousand trillion won, far inside 64 bits."""

COIN_BENCHMARK: Final = "KRW-BTC"
"""What coins are compared with, and what their market filter looks at."""

Formula = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Letter = Annotated[str, StringConstraints(pattern=r"^(?:[A-Z]|[A-NP-Z][A-Z]|O[A-QS-Z])$")]  # "OR" is the operator
FactorId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
SymbolCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{6}$|^[A-Z]{3,4}-[0-9A-Z]{1,10}$")]
Fraction = Annotated[float, Field(ge=0, le=1)]
Words = tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)], ...]


def _automatic_if_blank(logic: str | None) -> str | None:
    return logic.strip() or None if logic is not None else None


Logic = Annotated[str, StringConstraints(max_length=500)]
LogicOrNone = Annotated[Logic | None, AfterValidator(_automatic_if_blank)]


def _refuse_repeated(what: str, values: Sequence[str | int]) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1}, key=str)
    if repeated:
        raise ValueError(f"{what} {', '.join(map(repr, repeated))} is used more than once. Hint: each may appear once.")


class Model(BaseModel):
    """Frozen, strict about keys, NaN and infinity refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_enum_values=False)


class Market(StrEnum):
    """Markets a universe can name; UPBIT (coins in won) stands alone."""

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
    CAUTION = "caution"
    WARNING = "warning"
    RISK = "risk"
    OVERHEATED = "overheated"
    UNFAITHFUL = "unfaithful"
    CLEARANCE = "clearance"
    HALTED = "halted"
    FINANCIAL = "financial"


class TopBy(Model):
    """Only the largest ``count`` of the universe by market cap or by 20-session mean traded value, as of the date."""

    by: Literal["market_cap", "trading_value"] = Field(
        default="trading_value", description="what is compared: market cap, or 20-session mean traded value"
    )
    count: int = Field(ge=1, le=5000, description="symbols kept")
    skip: int = Field(default=0, ge=0, le=5000, description="leave out this many of the largest first (size classes)")


class Universe(Model):
    """Which symbols may be bought on a date."""

    markets: tuple[Market, ...] = Field(
        default=(Market.KOSPI, Market.KOSDAQ),
        min_length=1,
        description="markets, as of the date; UPBIT (coins) only alone",
    )
    sectors: Words = Field(
        default=(), description="only these sectors, as of the date where lists are dated; empty = all"
    )
    exclude_sectors: Words = Field(default=(), description="never these sectors")
    themes: Words = Field(default=(), description="only members of these themes as of the date; empty = all")
    index: Literal["KOSPI200", "KOSDAQ150"] | None = Field(
        default=None, description="only members of this index as of the date; null = no such limit"
    )
    symbols: tuple[SymbolCode, ...] = Field(default=(), description="only these symbols; empty = all")
    exclude_symbols: tuple[SymbolCode, ...] = Field(default=(), description="never these symbols")
    exclude: tuple[Exclusion, ...] = Field(
        default=(
            Exclusion.PREFERRED,
            Exclusion.SPAC,
            Exclusion.REIT,
            Exclusion.ETF,
            Exclusion.FOREIGN,
            Exclusion.ADMINISTRATIVE,
            Exclusion.ATTENTION,
            Exclusion.HALTED,
        ),
        description="kinds and flags left out, judged as of the date; an unknown flag does not exclude; "
        "halted: no trade in the session, or a recorded halt; for coins halted by default",
    )
    min_listed_sessions: int = Field(default=60, ge=0, le=5000, description="sessions since listing, at least")
    min_trading_value_krw: int = Field(
        default=0, ge=0, le=MOST_KRW, description="20-session mean traded value in KRW, at least"
    )
    min_price_krw: int = Field(default=0, ge=0, le=MOST_KRW, description="close in KRW, at least")
    top: TopBy | None = Field(default=None, description="only the largest of what is left; null = all")

    @property
    def of_coins(self) -> bool:
        """Whether the universe is of coins, not of stocks."""
        return Market.UPBIT in self.markets

    @model_validator(mode="after")
    def _stocks_or_coins(self) -> Universe:
        if self.of_coins and set(self.markets) != {Market.UPBIT}:
            raise ValueError(
                "markets name stocks and coins, which have other sessions, prices and rules. Hint: UPBIT alone, or not."
            )
        if self.of_coins and "exclude" not in self.model_fields_set:  # the other kinds and flags are of stocks
            object.__setattr__(self, "exclude", (Exclusion.HALTED,))
        return self


class OwnFactor(Model):
    """A formula with a name, kept with the strategy that uses it: a value of each stock on each session.

    Formulas of the document may use its ``id`` like that of a catalogue factor; its own formula, those defined before.
    """

    id: FactorId = Field(
        description="small letters, digits and _; what formulas write; no name the language has already"
    )
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = Field(
        default="", description="what people call it; formulas may be typed with it; empty = the id"
    )
    formula: Formula = Field(description="a value in the formula language, such as ret(close,60)/tstd(ret1,60,1)")
    unit: Literal["%", "x", "ratio", "KRW", "shares", "days", "score", "count", "bool"] = Field(
        default="score", description="unit of its values, as in the factor catalogue; how they are shown and said"
    )
    higher_is_better: Literal[1, 0, -1] = Field(
        default=0, description="1 or -1: which end a ranking by it begins with in the builder; 0 = no direction"
    )
    note: str = Field(default="", max_length=500, description="free text; changes no result")


class Rule(Model):
    """One condition, lettered. ``formula`` gives 1, 0 or null for each symbol and session; null never passes."""

    id: Letter = Field(description='one or two capital letters, used in `logic`; not "OR"')
    formula: Formula = Field(description="a condition in the formula language, such as close>sma(close,60)")
    note: str = Field(default="", max_length=500, description="free text; changes no result")


class Entry(Model):
    """Rules and how they combine. ``logic`` None means all of them; else letters with and, or, not, parentheses."""

    rules: tuple[Rule, ...] = Field(
        default=(), max_length=40, description="conditions to buy; none = the whole universe"
    )
    logic: LogicOrNone = Field(default=None, description='such as "A and (B or not C)"; null = all of the rules')

    @model_validator(mode="after")
    def _letters_once(self) -> Entry:
        _refuse_repeated("Rule letter", [rule.id for rule in self.rules])
        return self


class RankFactor(Model):
    """One part of the score. ``transform`` is applied across the universe of the session."""

    formula: Formula = Field(description="a value in the formula language, such as mom_12_1")
    weight: float = Field(default=1.0, gt=0, le=1000, description="share of this part in the weighted sum")
    direction: Literal["high", "low"] = Field(default="high", description="which end is better")
    transform: Literal["rank", "zscore", "value"] = Field(
        default="rank", description="how values become comparable across the universe before weighting"
    )
    neutralize: Literal["none", "sector", "sector_size"] = Field(
        default="none", description="take out the mean of the sector, or of sector and log market cap, first"
    )
    winsorize: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        default=0.0, description="fraction clipped at each end before neutralising; 0.01 = the 1 % and 99 % quantiles"
    )


class Ranking(Model):
    """Order of purchase: the weighted sum of the parts, higher first; ties by symbol. No parts: by symbol.

    ``keep`` "top" or "bottom" with ``count`` admits only that many of the candidates of a date (TOP_N / BOTTOM_N).
    """

    factors: tuple[RankFactor, ...] = Field(default=(), max_length=20, description="parts of the score")
    keep: Literal["all", "top", "bottom"] = Field(
        default="all", description="admit every candidate, or only the best (top) or worst (bottom) `count`"
    )
    count: int = Field(default=20, ge=1, le=5000, description="candidates admitted when `keep` is top or bottom")


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

    method: SizingMethod = Field(default=SizingMethod.EQUAL, description="how capital is split")
    max_holdings: int = Field(default=20, ge=1, le=500, description="positions held at once, at most")
    weight: Fraction = Field(default=0.05, gt=0, description="fixed_weight: fraction of the base for each position")
    amount_krw: int = Field(default=1_000_000, ge=1, le=MOST_KRW, description="fixed_krw: KRW for each position")
    volatility_sessions: int = Field(
        default=60, ge=5, le=756, description="inverse_volatility: sessions over which volatility is measured"
    )
    max_weight: Fraction = Field(default=1.0, gt=0, description="cap on one position, fraction of the base")
    max_sector_weight: Fraction = Field(default=1.0, gt=0, description="cap on one sector, fraction of the base")
    max_position_krw: int | None = Field(
        default=None, ge=1, le=MOST_KRW, description="cap on one position in KRW; null = none"
    )
    max_new_per_session: int | None = Field(
        default=None, ge=1, le=500, description="new positions opened in one session, at most; null = no limit"
    )
    cash_buffer: Fraction = Field(default=0.0, lt=1, description="fraction of equity that is never invested")
    base: Literal["equity", "initial"] = Field(
        default="equity", description="weights are of today's equity, or of the initial capital"
    )


class FillMode(StrEnum):
    """Where an order decided at the close of t meets the market of t+1."""

    NEXT_OPEN = "next_open"
    NEXT_CLOSE = "next_close"
    LIMIT = "limit"
    VWAP_PROXY = "vwap_proxy"


class Execution(Model):
    """How orders are sent. ``limit_offset`` -0.01 buys at most 1 % below the reference; sales mirror the sign."""

    buy: FillMode = Field(default=FillMode.NEXT_OPEN, description="where purchases fill")
    sell: FillMode = Field(default=FillMode.NEXT_OPEN, description="where sales fill")
    limit_offset: float = Field(
        default=0.0,
        ge=-0.3,
        le=0.3,
        description="limit: distance from the reference; -0.01 buys 1 % below, sells 1 % above",
    )
    limit_reference: Literal["previous_close", "open"] = Field(
        default="previous_close", description="limit: price the offset counts from"
    )
    participation: Fraction = Field(
        default=0.1, gt=0, description="fraction of the session's volume one order may take, at most"
    )
    carry_unfilled_sessions: int = Field(
        default=0, ge=0, le=20, description="sessions an unfilled rest stays alive; 0 = lapses the same day"
    )


class PriceTrigger(Model):
    """A price exit. ``level`` is a positive fraction of the reference; ``basis`` says which price is compared.

    ``intraday`` rests in the session and fills at the trigger (or at the open after a gap); ``close`` compares the
    close and sells in the next session by ``execution.sell``.
    """

    level: float = Field(gt=0, le=10, description="distance from the reference as a fraction; 0.1 = 10 %")
    basis: Literal["intraday", "close"] = Field(
        default="intraday", description="rests in the session, or compares the close and sells next session"
    )


class HoldingUnit(StrEnum):
    """What a holding period counts."""

    SESSIONS = "sessions"
    CALENDAR_DAYS = "calendar_days"


class ExitRules(Model):
    """When a position ends; whichever comes first. In signal mode these are the only ways out."""

    target: PriceTrigger | None = Field(default=None, description="take profit above the purchase price; null = none")
    stop: PriceTrigger | None = Field(default=None, description="stop loss below the purchase price; null = none")
    trailing: PriceTrigger | None = Field(
        default=None, description="stop below the highest price since the purchase; null = none"
    )
    min_holding: int = Field(default=0, ge=0, le=2520, description="held at least this long, in `holding_unit`")
    max_holding: int | None = Field(
        default=None, ge=1, le=2520, description="held at most this long, in `holding_unit`; null = no limit"
    )
    holding_unit: HoldingUnit = Field(default=HoldingUnit.SESSIONS, description="what holding periods count")
    min_holding_blocks_stops: bool = Field(
        default=False, description="whether the minimum holding period also holds back stop, target and trailing"
    )
    rules: tuple[Rule, ...] = Field(default=(), max_length=40, description="conditions to sell")
    logic: LogicOrNone = Field(default=None, description="over the letters of these rules; null = any of the rules")
    rank_below: int | None = Field(
        default=None, ge=1, le=5000, description="sell when the rank by score falls below this place; null = never"
    )
    when_entry_fails: bool = Field(default=False, description="sell when the entry rules no longer hold")
    reentry_wait_sessions: int = Field(
        default=0, ge=0, le=252, description="sessions before a symbol that was sold may be bought again"
    )

    @model_validator(mode="after")
    def _agrees(self) -> ExitRules:
        _refuse_repeated("Rule letter", [rule.id for rule in self.rules])
        if self.max_holding is not None and self.min_holding > self.max_holding:
            raise ValueError(
                f"min_holding {self.min_holding} is above max_holding {self.max_holding}. Hint: lower the first."
            )
        return self


class Rebalancing(Model):
    """``signal``: buy and sell as rules fire, daily. ``target``: move the book to target weights at each period."""

    mode: Literal["signal", "target"] = Field(
        default="signal", description="act daily as rules fire, or move the book to target weights each period"
    )
    period: Literal["daily", "weekly", "monthly", "quarterly", "yearly"] = Field(
        default="monthly", description="target: how often"
    )
    day_shift: int = Field(default=0, ge=0, le=20, description="target: sessions after the first session of the period")
    drift_band: Fraction = Field(
        default=0.0, description="target: leave a position whose weight is within this of its target weight"
    )


class MarketFilter(Model):
    """When the market is judged unsafe the book moves to cash and no purchase is made.

    ``formula`` is evaluated on the index named (``close`` is the index); false or null = unsafe. ``months`` are
    the calendar months in which the book may be invested.
    """

    index: Literal["KOSPI", "KOSDAQ", "KOSPI200", "KRW-BTC"] = Field(
        default="KOSPI", description="index the formula looks at; for coins KRW-BTC, the price of bitcoin"
    )
    formula: Formula | None = Field(
        default=None, description="condition under which the market is safe, such as close>sma(close,200); null = none"
    )
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = Field(
        default=tuple(range(1, 13)), min_length=1, max_length=12, description="calendar months that may be invested"
    )
    action: Literal["sell_all", "no_new"] = Field(
        default="sell_all", description="when unsafe: sell everything, or only stop buying"
    )

    @model_validator(mode="after")
    def _months_once(self) -> MarketFilter:
        _refuse_repeated("Month", self.months)
        return self


class Costs(Model):
    """Commission per side, transaction tax on sales, slippage. ``tax`` "dated" follows the law by market and date."""

    commission_rate: float = Field(
        default=0.00015, ge=0, le=0.05, description="fraction of the amount, each side; for coins 0.0005 by default"
    )
    tax: Literal["dated"] | Annotated[float, Field(ge=0, le=0.05)] = Field(
        default="dated", description='"dated" = the law by market and date; else a fraction of every sale'
    )
    slippage_rate: float = Field(
        default=0.001, ge=0, le=0.1, description="fraction of the price, against the order, each side"
    )


class Allocation(Model):
    """Defaults a run starts with; a run may override them."""

    initial_cash_krw: int = Field(
        default=100_000_000, ge=100_000, le=10_000_000_000_000, description="KRW a run starts with"
    )


class Tags(Model):
    """How presets are found."""

    style: Words = Field(default=(), description="free words such as momentum or reversal")
    horizon: Literal["short", "medium", "long"] | None = Field(default=None, description="typical holding time")
    risk: Literal["low", "medium", "high"] | None = Field(default=None, description="how rough the ride is")


class Strategy(Model):
    """The whole document. ``stocklab strategy schema`` prints its JSON schema."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description="version of this schema")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] = Field(
        description="shown in lists; changes no result"
    )
    description: str = Field(default="", max_length=4000, description="free text; changes no result")
    tags: Tags = Field(default=Tags(), description="how it is found; changes no result")
    universe: Universe = Field(default=Universe(), description="which symbols may be bought")
    factors: tuple[OwnFactor, ...] = Field(
        default=(), max_length=20, description="own factors, which formulas of this document may use"
    )
    entry: Entry = Field(default=Entry(), description="when to buy")
    ranking: Ranking = Field(default=Ranking(), description="which candidates come first")
    sizing: Sizing = Field(default=Sizing(), description="how much of each")
    execution: Execution = Field(default=Execution(), description="how orders are sent")
    exit: ExitRules = Field(default=ExitRules(), description="when to sell")
    rebalancing: Rebalancing = Field(
        default=Rebalancing(), description="signals every day, or target weights by period"
    )
    market_filter: MarketFilter | None = Field(default=None, description="when to stay in cash; null = never")
    costs: Costs = Field(default=Costs(), description="commission, tax and slippage")
    benchmark: Literal["KOSPI", "KOSDAQ", "KOSPI200", "KRW-BTC"] = Field(
        default="KOSPI", description="index the result is compared with; for coins KRW-BTC by default"
    )
    statements: StatementMode = Field(
        default=StatementMode.STRICT,
        description="strict = numbers as filed, from their receipt; restated = as corrected later: hindsight",
    )
    allocation: Allocation = Field(default=Allocation(), description="defaults a run starts with")

    @model_validator(mode="after")
    def _defaults_of_coins(self) -> Strategy:
        """Where the universe is of coins, what is left out is what coins have: commission, benchmark, market filter."""
        if not self.universe.of_coins:
            return self
        if "commission_rate" not in self.costs.model_fields_set:
            self._fill("costs", self.costs.model_copy(update={"commission_rate": COMMISSION_RATE}))
        if "benchmark" not in self.model_fields_set:
            self._fill("benchmark", COIN_BENCHMARK)
        if self.market_filter is not None and "index" not in self.market_filter.model_fields_set:
            self._fill("market_filter", self.market_filter.model_copy(update={"index": COIN_BENCHMARK}))
        return self

    def _fill(self, name: str, value: object) -> None:
        """Set a field while the document is being made; afterwards it is frozen."""
        object.__setattr__(self, name, value)
