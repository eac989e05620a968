"""An explanation as a value: what happened to one symbol in one session of a run, and what its close decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from stocklab.research.explain.verdicts import Verdict

__all__ = [
    "Bar",
    "Compared",
    "Decision",
    "Event",
    "ExitLine",
    "Explanation",
    "FilterLine",
    "Holding",
    "MarketLine",
    "Met",
    "Ordered",
    "Purse",
    "RuleLine",
    "ScorePart",
    "Standing",
]

Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The session as orders met it: won by rounding half up, None = unknown.

    ``lower_krw`` and ``upper_krw`` are KRX's price limits of a raw bar; None where there are none or they are unknown
    (adjusted bars).
    """

    open_krw: int | None
    high_krw: int | None
    low_krw: int | None
    close_krw: int | None
    volume: float | None
    traded: bool
    listed: bool
    base_krw: int | None
    lower_krw: int | None
    upper_krw: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One comparison inside a rule: ``left operator right`` with both values at the close, None = unknown."""

    left: str
    operator: str
    right: str
    left_value: float | None
    right_value: float | None
    holds: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A lettered rule: whether it holds (None = unknown), and what it compares."""

    id: str
    formula: str
    holds: bool | None
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterLine:
    """One filter of the universe: what it asks for, what the symbol has, and whether it passes.

    ``unknown``: what it looks at is not known; a flag or kind then passes, a quantity does not.
    """

    code: str
    wanted: str | int | float | None
    found: str | int | float | None
    passes: bool
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    """A part of the score. ``part``: what it adds, transformed and weighted; None with one part that is its own score,
    and where the symbol has no score."""

    formula: str
    direction: Literal["high", "low"]
    weight: float
    transform: str
    neutralize: str
    value: float | None
    part: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a symbol stands at a close.

    Attributes
    ----------
    members, passing, candidates : symbols in the universe, those of them for which the entry rules hold, and those
        that may be bought (with a score, and kept by ``ranking.keep``)
    score, parts : of the symbol; None = unknown or without ranking
    place : among the candidates in order of purchase, 1 = first; None = no candidate
    place_before_keep : among those with a score, before ``ranking.keep``
    universe_place : by score among the members, for ``exit.rank_below``; None where it is not asked for or unknown
    bought : symbols ordered at this close
    last_bought, last_place : the last of them in order of purchase
    """

    members: int
    passing: int
    candidates: int
    score: float | None
    parts: tuple[ScorePart, ...]
    place: int | None
    place_before_keep: int | None
    universe_place: int | None
    bought: int
    last_bought: str | None
    last_place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLine:
    """The market filter at a close; ``month`` is that of the next session. ``holds`` None = unknown: unsafe."""

    index: str
    formula: str | None
    holds: bool | None
    compared: tuple[Compared, ...]
    month: int
    month_allowed: bool
    action: Literal["sell_all", "no_new"]
    unsafe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What purchases could count on when the close began to buy: after its exits, before its purchases."""

    cash_krw: int
    countable_krw: int
    equity_krw: int
    positions: int
    max_holdings: int
    free_places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitLine:
    """One way out of a holding.

    Attributes
    ----------
    kind : ``target stop trailing max_holding exit_rule rank entry_failed``
    basis : of a price exit: ``intraday`` or ``close``
    level : won of a price exit, sessions or days of ``max_holding``, the place of ``rank``
    now : what is compared with it at this close; None = unknown
    reached : whether it would sell at this close (an intraday price exit: at this price), None = unknown
    """

    kind: str
    basis: str
    level: float | None
    now: float | None
    reached: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The position after the close. Holding periods count to this close, in the document's unit ``unit``."""

    shares: int
    average_krw: float
    highest_krw: float
    close_krw: int
    value_krw: int
    entered: date
    held: int
    unit: Literal["sessions", "calendar_days"]
    min_holding: int
    may_sell_next: bool
    exits: tuple[ExitLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An order decided at a close, as it ended in the run's own table (after share changes, if there were any)."""

    order_id: int
    side: Side
    shares: int
    limit_krw: int | None
    cause: str
    filled: int
    status: str
    reason: str
    ended: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one close decided about the symbol.

    ``trades`` is the session the decision is for, None at the end of the run; ``next_rebalancing`` the next close
    that moves the book, where ``rebalancing.mode`` is target and this close does not.
    """

    session: date
    trades: date | None
    next_rebalancing: date | None
    universe: tuple[FilterLine, ...]
    in_universe: bool
    entry: tuple[RuleLine, ...]
    entry_logic: str
    entry_holds: bool
    exit: tuple[RuleLine, ...]
    exit_logic: str
    exit_holds: bool
    market: MarketLine | None
    standing: Standing
    purse: Purse
    holding: Holding | None
    orders: tuple[Ordered, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """An order that met the session, and what became of it there. ``filled_before``: in earlier sessions."""

    order_id: int
    decided: date
    side: Side
    shares: int
    filled_before: int
    filled: int
    price_krw: int | None
    limit_krw: int | None
    mode: str
    cause: str
    rule: str
    reason: str
    lives_on: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to the holding before the open.

    ``kind`` is ``share_change`` (``new`` shares for ``old``; the fraction is paid), ``bonus`` (the same, of shares that
    list later), ``rights`` or ``dividend`` (paid in cash, less the tax withheld).
    """

    kind: str
    new: int
    old: int
    before: int
    after: int
    paid_krw: int
    tax_krw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything about one symbol in one session.

    ``met`` and ``events`` happened in the session; ``origin`` is the decision that sent the first of ``met`` there
    (None where a price trigger or nothing did); ``close`` what the close of the session decided for the next one.
    ``headline`` is the one answer: what happened in the session, else what its close decided.
    """

    symbol: str
    name: str
    market: str
    sector: str
    session: date
    bar: Bar
    met: tuple[Met, ...]
    events: tuple[Event, ...]
    origin: Decision | None
    close: Decision
    headline: Verdict
