"""Why: every answer an explanation can give, as a code with the numbers that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

__all__ = ["Code", "Fact", "Verdict"]

Fact = int | float | str | date | tuple[str, ...] | None


class Code(StrEnum):
    """What happened to a symbol in a session, or what a close decided about it, and why."""

    # in the session
    BOUGHT = "bought"
    BOUGHT_PART = "bought_part"
    NOT_BOUGHT = "not_bought"
    SOLD = "sold"
    SOLD_PART = "sold_part"
    NOT_SOLD = "not_sold"
    ENDED = "ended"
    """An order ended by something else than the market: superseded, delisted, consolidated."""
    DELISTED = "delisted"

    # at the close, nothing is decided for anyone
    RUN_ENDS = "run_ends"
    MARKET_UNSAFE = "market_unsafe"
    NO_REBALANCING = "no_rebalancing"

    # at the close, no candidate
    OUTSIDE_UNIVERSE = "outside_universe"
    RULES_FAIL = "rules_fail"
    SCORE_UNKNOWN = "score_unknown"
    OUTSIDE_KEPT = "outside_kept"

    # at the close, a candidate that was passed over
    NO_FREE_PLACE = "no_free_place"
    PLACES_TAKEN = "places_taken"
    MOST_NEW_REACHED = "most_new_reached"
    ALREADY_ORDERED = "already_ordered"
    SOLD_TOO_RECENTLY = "sold_too_recently"
    CLOSE_UNKNOWN = "close_unknown"
    WEIGHT_UNKNOWN = "weight_unknown"
    SECTOR_FULL = "sector_full"
    LESS_THAN_A_SHARE = "less_than_a_share"
    CASH = "cash"
    AFTER_CASH = "after_cash"

    # at the close, a purchase
    BUY_ORDERED = "buy_ordered"
    MORE_ORDERED = "more_ordered"
    WAITING = "waiting"
    """Chosen by a rebalancing; waits for cash or a place until its time is over."""
    WAIT_OVER = "wait_over"
    WAIT_ENDED = "wait_ended"
    """Was waiting and is so no more: it was sold since, or is on its way out."""
    PRICE_ROSE = "price_rose"
    """Was waiting; what is left of its money pays no further share."""

    # at the close, a holding
    SELL_ORDERED = "sell_ordered"
    TRIM_ORDERED = "trim_ordered"
    KEPT = "kept"
    KEPT_CHOSEN = "kept_chosen"
    KEPT_IN_BAND = "kept_in_band"
    KEPT_MIN_HOLDING = "kept_min_holding"
    KEPT_LEAVING = "kept_leaving"
    """An order to sell is live already."""
    KEPT_NOT_LISTED = "kept_not_listed"
    KEPT_UNLISTED = "kept_unlisted"
    """What would be sold are bonus shares that do not list before a later session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A code and its facts: won, shares and places as int, levels and scores as float, sessions as date."""

    code: Code
    facts: Mapping[str, Fact] = field(default_factory=dict)
