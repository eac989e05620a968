"""The badge every result carries: green only where every decision was the same without the future."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.result import trusted
from stocklab.ui.result.trusted import Look, Standing
from stocklab.ui.text import N_, _

__all__ = ["look_ahead_badge", "verdict_words"]

_TICK_SECONDS: Final = 1.0
_GREY: Final = {
    Standing.WAITING: (N_("Look-ahead check waiting"), "hourglass_top"),
    Standing.IMPOSSIBLE: (N_("Look-ahead not checked"), "help"),
    Standing.STALE: (N_("Look-ahead not checked"), "help"),
    Standing.FAILED: (N_("Look-ahead not checked"), "help"),
    Standing.STOPPED: (N_("Look-ahead not checked"), "help"),
    Standing.REFUSED: (N_("Look-ahead not checked"), "help"),
}


def look_ahead_badge(result: Result) -> None:
    """The badge, with what was done on hover; it follows the check while that runs."""
    look = trusted.look_ahead(result)

    @st.fragment(run_every=_TICK_SECONDS if look.live else None)
    def draw() -> None:
        now = trusted.look_ahead(result) if look.live else look
        if look.live and not now.live:
            st.rerun()  # one run of the whole page ends the timer
        st.markdown(_badge(now), help=verdict_words(now), width="content")

    draw()


def _badge(look: Look) -> str:
    match look.standing:
        case Standing.IDENTICAL:
            return blocks.badge(_("No look-ahead"), "verified", "green")
        case Standing.DIFFERENT:
            return blocks.badge(_("Look-ahead found"), "warning", "red")
        case Standing.RUNNING:
            words = _("Checking for look-ahead: {percent}").format(percent=fmt.percent(look.done, digits=0))
            return blocks.badge(words, "hourglass_top")
        case other:
            words, icon = _GREY[other]
            return blocks.badge(_(words), icon)


def verdict_words(look: Look) -> str:
    """What the check did and found, in a sentence or two."""
    found = look.found
    match look.standing:
        case Standing.IDENTICAL if found is not None:
            return _(
                "The run was replayed with the future cut off after {sessions} sessions. Every decision was identical "
                "each time: universe, rules, scores, candidates, {orders} orders, trades, holdings and cash."
            ).format(sessions=fmt.count(len(found.sessions)), orders=fmt.count(found.decided))
        case Standing.DIFFERENT if found is not None and found.hindsight:
            return _(
                "The strategy reads company reports as corrected later (restated mode), which is hindsight by choice. "
                "Replayed with what had been filed by then, {count} differences were found."
            ).format(count=fmt.count(found.n_differences))
        case Standing.DIFFERENT if found is not None:
            first = found.differences[0]
            return _(
                "Without the future the run decides differently: {count} differences, the first after the close of "
                "{session}. The result uses what nobody could know then."
            ).format(count=fmt.count(found.n_differences), session=fmt.day(first.cut))
        case Standing.IMPOSSIBLE:
            return _("A run of a single session has no future that could be cut off.")
        case Standing.STALE:
            return _("The market data or the program changed since this run. Run it again to have it checked.")
        case Standing.FAILED:
            return _("The check could not be made. {reason}").format(reason=look.error)
        case Standing.STOPPED:
            return _("The check was stopped before it was done.")
        case Standing.REFUSED:
            return _("Too many jobs wait; the check will begin when this page is opened later.")
        case _:
            return _("The run is being replayed with the future cut off at sampled sessions, in the background.")
