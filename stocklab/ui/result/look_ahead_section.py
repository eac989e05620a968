"""The look-ahead check of a result: the verdict, what was compared, and what differed."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.research.look_ahead import SESSIONS, LookAhead
from stocklab.ui import blocks, cached, job_blocks
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.result import trusted
from stocklab.ui.result.look_ahead_badge import verdict_words
from stocklab.ui.result.trusted import Look, Standing
from stocklab.ui.text import N_, _

__all__ = ["look_ahead_section"]

MORE_SESSIONS: Final = 32
MOST_ROWS: Final = 60
_JUDGED: Final = frozenset({"entry", "exit", "score", "weight"})
_PARTS: Final = {
    "universe": N_("Universe"),
    "entry": N_("Rules to buy"),
    "exit": N_("Rules to sell"),
    "score": N_("Score"),
    "rank": N_("Rank"),
    "weight": N_("Weight"),
    "market_filter": N_("Market filter"),
    "schedule": N_("Rebalancing days"),
    "candidates": N_("Candidates in order"),
    "order": N_("Order decisions"),
    "trade": N_("Trades"),
    "position": N_("Holdings"),
    "waiting": N_("Purchases waiting for money"),
    "share_change": N_("Splits, rights and dividends"),
    "claim": N_("Dividends and bonus shares due"),
    "cash": N_("Cash and equity"),
}
_FIELDS: Final = {
    "buy": N_("Buy"),
    "sell": N_("Sell"),
    "yes": N_("Yes"),
    "no": N_("No"),
    "unknown": N_("Unknown"),
    "ordered": N_("Ordered"),
    "filled": N_("Filled"),
    "shares": N_("Shares"),
    "price": N_("Price"),
    "amount": N_("Amount"),
    "value": N_("Market value"),
    "close": N_("Closing price"),
    "limit": N_("Limit"),
    "commission": N_("Commission"),
    "tax": N_("Tax"),
    "slippage": N_("Slippage"),
    "live": N_("Open orders"),
    "sold": N_("Sold"),
    "cash": N_("Cash"),
    "holdings": N_("Holdings"),
    "equity": N_("Equity"),
}


def look_ahead_section(result: Result) -> None:
    """The verdict as it stands, with the way to check again or at more sessions."""
    look = trusted.look_ahead(result)
    words = escape(verdict_words(look))
    match look.standing:
        case Standing.IDENTICAL:
            st.success(words, icon=":material/verified:")
        case Standing.DIFFERENT:
            st.error(words, icon=":material/warning:")
        case _:
            st.info(words, icon=":material/hourglass_top:" if look.live else ":material/help:")
    if look.live and look.job is not None:
        job_blocks.cancel_button(look.job, key="stop_proof")
    if look.found is not None:
        _facts(look.found)
    if not look.live and look.standing not in (Standing.STALE, Standing.IMPOSSIBLE):
        _more(result, look)
    with st.expander(_("What is cut off, and what is compared"), icon=":material/help:"):
        st.markdown(
            _(
                "After the sampled session nothing is left: prices, volumes, indices, company reports, splits, "
                "listings and delistings of later are removed, and the next session holds drawn numbers. The run is "
                "then replayed from its first session, past every cache, and compared with the run itself up to and "
                "including the decisions of that close. On raw prices the scale that later splits give to adjusted "
                "prices is drawn as well.\n\n"
                "Not cut, because the data have it only as of today: names, sectors and kinds of stocks; on adjusted "
                "prices also their scale. The check judges what the run reads. A number that was already on the wrong "
                "day when the data were imported is on that day in both."
            )
        )


def _more(result: Result, look: Look) -> None:
    enough = look.found is not None and len(look.found.sessions) >= MORE_SESSIONS
    if enough:
        return
    again = look.found is None
    words = _("Check again") if again else _("Check at {count} sessions").format(count=MORE_SESSIONS)
    sessions = SESSIONS if again else MORE_SESSIONS
    st.button(
        words,
        key="start_proof",
        icon=":material/verified:",
        on_click=_start,
        args=(result, sessions),
    )


def _start(result: Result, sessions: int) -> None:
    trusted.check_look_ahead(result, sessions)


def _facts(found: LookAhead) -> None:
    days = [fmt.day(session) for session in found.sessions]
    blocks.facts(
        {
            _("Future cut off after"): ", ".join(days) if len(days) <= 12 else f"{', '.join(days[:11])}, … {days[-1]}",
            _("Orders compared"): _("{all}, of these {there} decided at the cuts themselves").format(
                all=fmt.count(found.decided), there=fmt.count(found.decided_there)
            ),
            _("Differences"): fmt.count(found.n_differences),
        }
    )
    if not found.differences:
        return
    rows = [
        {
            "cut": fmt.day(each.cut),
            "what": _(_PARTS.get(each.part, each.part)),
            "session": fmt.day(each.session),
            "symbol": _symbol(each.symbol),
            "run": _words(each.run),
            "replay": _words(each.replay),
        }
        for each in found.differences[:MOST_ROWS]
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height="content" if len(rows) <= 12 else 460,
        column_config={
            "cut": st.column_config.TextColumn(_("Cut")),
            "what": st.column_config.TextColumn(_("What")),
            "session": st.column_config.TextColumn(_("Session")),
            "symbol": st.column_config.TextColumn(_("Symbol")),
            "run": st.column_config.TextColumn(_("In the run")),
            "replay": st.column_config.TextColumn(_("Without the future")),
        },
    )
    if found.hindsight or not {each.part for each in found.differences} & _JUDGED:
        return
    st.caption(
        _(
            "A common cause on raw prices: a rule or score that reads the level of adjusted prices (close, high, low, "
            "open, volume), such as close < 5000. Splits that come later change that level; close_raw is the price as "
            "it was traded."
        )
    )


def _words(text: str) -> str:
    """What a difference says, such as "buy, ordered 738", in the user's language."""
    parts = [part.partition(" ") for part in text.split(", ")]
    return ", ".join(f"{_(_FIELDS.get(name, name))}{blank}{rest}" for name, blank, rest in parts)


def _symbol(symbol: str) -> str:
    name = cached.names().get(symbol, "")
    return f"{name} {symbol}" if name else symbol or fmt.DASH
