"""Fetch news of a company: which sources are on, the wish for it, how far it is, and how the last one ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from stocklab.data.sources.calls import now_kst
from stocklab.db import IntentState
from stocklab.operations import Intent, SchedulerStatus, SourceLine, scheduler_status, source_board
from stocklab.operations.news_state import DISCLOSURE_JOBS, NEWS_INTENT, newest_news_intent, read_news_line, work_ahead
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.background import nobody_works
from stocklab.ui.builder.fields import escape
from stocklab.ui.data.names import SOURCES, source_name
from stocklab.ui.reasons import reason_now
from stocklab.ui.text import _

__all__ = ["NewsDesk", "fetch_panel", "news_desk"]

_TICK_SECONDS: Final = 1.0
_LONGEST: Final = 400
_NEWS: Final = ("naver_hub", "naver_legacy")
_FILINGS: Final = "opendart"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsDesk:
    """What the section says of its sources, of the newest wish for this symbol and of the background process."""

    symbol: str
    sources: tuple[SourceLine, ...]
    wish: Intent | None
    scheduler: SchedulerStatus

    @property
    def news_on(self) -> bool:
        """Whether a search for news has its keys."""
        return any(line.on for line in self.sources if line.source.name in _NEWS)

    @property
    def filings_on(self) -> bool:
        """Whether OpenDART has a key."""
        return any(line.on for line in self.sources if line.source.name == _FILINGS)

    @property
    def live(self) -> bool:
        """Whether a wish waits or is carried out."""
        return self.wish is not None and self.wish.state.live

    @property
    def fetched(self) -> bool:
        """Whether the last wish searched for news to the end."""
        wish = self.wish
        return wish is not None and wish.state is IntentState.DONE and read_news_line(wish.message).articles is not None

    @property
    def list_read_at(self) -> datetime | None:
        """When a job of the timetable last read DART's list."""
        ended = [
            job.last_done.finished_at
            for job in self.scheduler.jobs
            if job.name in DISCLOSURE_JOBS and job.last_done is not None and job.last_done.finished_at is not None
        ]
        return max(ended, default=None)


def news_desk(symbol: str) -> NewsDesk:
    """Read the state of the section.

    Raises
    ------
    SettingsError
        The secret of the stored keys cannot be used.
    DatabaseUnreachable
        The app database does not answer.
    """
    lab, now = cached.lab(), now_kst()
    board = source_board(lab.settings, lab.source_keys().names(), lab.database, now)
    return NewsDesk(
        symbol=symbol,
        sources=tuple(line for line in board if line.source.name in (*_NEWS, _FILINGS)),
        wish=newest_news_intent(lab.intents, symbol),
        scheduler=scheduler_status(lab.database, now),
    )


def fetch_panel(desk: NewsDesk) -> None:
    """The button, or what runs; what is off, how the last wish ended, and whether anybody would carry one out."""
    keyed = desk.news_on or desk.filings_on
    if desk.live:
        _ticking(desk)
    elif keyed:
        _offer(desk)
        _ended(desk)
    if not (desk.news_on and desk.filings_on):
        _off(desk)
    if not desk.scheduler.alive and (keyed or desk.live):
        nobody_works(desk.scheduler)


def _offer(desk: NewsDesk) -> None:
    label = _("Fetch news") if desk.news_on else _("Fetch filings")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        pressed = st.button(label, key="company_fetch_news", icon=":material/newspaper:")
        words = []
        if desk.news_on:
            words.append(_("Searches for the name of this company."))
        if desk.filings_on:
            words.append(_("Filings are read every evening and morning by themselves."))
        read = desk.list_read_at
        if desk.filings_on and read is not None:
            words.append(_("Last read {moment}.").format(moment=fmt.moment(read)))
        st.caption(" ".join(words))
    if pressed:
        with blocks.guarded():
            lab = cached.lab()
            lab.intents.ask(identity.owner_id(), NEWS_INTENT, {"symbol": desk.symbol})
            st.rerun()


def _ended(desk: NewsDesk) -> None:
    """How the last wish ended, if there was one."""
    wish = desk.wish
    if wish is None:
        return
    moment = fmt.moment(wish.finished_at or wish.created_at)
    if wish.state is IntentState.FAILED:
        words = _("The last fetch failed ({moment}).").format(moment=moment)
        st.error(f"**{words}** {escape(_why(desk, wish))}", icon=":material/error:")
    elif wish.state is IntentState.CANCELLED:
        st.caption(_("The last fetch was cancelled ({moment}).").format(moment=moment))
    else:
        counts = read_news_line(wish.message)
        parts = [_("Fetched {moment}").format(moment=moment)]
        if counts.articles is not None:
            parts.append(_("new articles: {count}").format(count=fmt.count(counts.articles)))
        if counts.filings is not None:
            parts.append(_("new filings of all companies: {count}").format(count=fmt.count(counts.filings)))
        st.caption(" · ".join(parts))


def _why(desk: NewsDesk, wish: Intent) -> str:
    return reason_now(wish.message, wish.finished_at, desk.sources)[:_LONGEST]


def _off(desk: NewsDesk) -> None:
    """Which source has no key, and where to enter one."""
    if not desk.news_on and not desk.filings_on:
        blocks.empty(
            _("News and filings are off: neither Naver nor OpenDART has a key."),
            _("Enter a key of either on the Data page. What is stored already is shown below."),
            icon=":material/key_off:",
        )
    elif desk.filings_on:
        st.caption(_("News are off: Naver has no key."))
    else:
        st.caption(_("New filings are off: OpenDART has no key."))
    navigation.link("data", _("Enter keys"), icon=":material/key:")


def _ticking(desk: NewsDesk) -> None:
    """Draw the wish now and every second while it lives; a change of its state runs the whole page once."""
    before = _mark(desk.wish)

    @st.fragment(run_every=_TICK_SECONDS)
    def tick() -> None:
        intents = cached.lab().intents
        wish = newest_news_intent(intents, desk.symbol)
        if _mark(wish) != before:
            st.rerun()
        if wish is not None:
            _live(desk, wish, work_ahead(intents, wish))

    tick()


def _mark(wish: Intent | None) -> tuple[str, IntentState] | None:
    return None if wish is None else (wish.id, wish.state)


def _why_waiting(desk: NewsDesk, ahead: Intent | None) -> str:
    """Why nobody has taken it yet."""
    if not desk.scheduler.alive:
        return _("the background process is not running; it begins as soon as one does.")
    if ahead is None:
        return _("it begins in a few seconds.")
    if ahead.kind != NEWS_INTENT:
        return _("a key of a source is being tried; it begins afterwards.")
    return _("another fetch is under way; it begins afterwards.")


def _live(desk: NewsDesk, wish: Intent, ahead: Intent | None) -> None:
    with st.container(border=True, key=f"news_{wish.id}"):
        if wish.state is IntentState.WAITING:
            words = _("Waiting since {moment}").format(moment=fmt.moment(wish.created_at))
            words = f"{words}: {_why_waiting(desk, ahead)}"
        else:
            source = str((wish.progress or {}).get("text", ""))
            words = _("Asking {source}").format(source=source_name(source)) if source in SOURCES else _("Fetching news")
        st.progress(_share(wish), text=words)
        if wish.cancel_requested:
            st.caption(_("Stopping…"))
        elif wish.owner_id == identity.owner_id() and st.button(
            _("Cancel"), key=f"cancel_news_{wish.id}", icon=":material/stop_circle:"
        ):
            with blocks.guarded():
                cached.lab().intents.cancel(wish.owner_id, wish.id)
                st.rerun()


def _share(wish: Intent) -> float:
    done = (wish.progress or {}).get("done")
    return min(1.0, max(0.0, float(done))) if isinstance(done, int | float) else 0.0
