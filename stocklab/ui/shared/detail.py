"""One publication: figures, curve, marks since, rules or their seal, family tree, and what can be done with it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import streamlit as st

from stocklab.community import SubjectKind
from stocklab.errors import StockLabError
from stocklab.sharing import PublicationDetail, Relative, fits_seal
from stocklab.strategy import describe_strategy, dump
from stocklab.ui import blocks, charts, identity, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.toolbar import open_saved
from stocklab.ui.community.comments import thread
from stocklab.ui.community.report_form import report_button
from stocklab.ui.shared import services
from stocklab.ui.shared.cards import author_of, labels_of
from stocklab.ui.text import _, language

__all__ = ["detail"]

_MESSAGE = "shared_message"
_SEEN = "shared_seen"


def detail(publication_id: str) -> None:
    """The page of one publication."""
    navigation.link("shared", _("All shared strategies"), icon=":material/arrow_back:")
    found = services.showcase().get(identity.owner_id(), publication_id)
    _count_view(publication_id)
    st.header(escape(found.name), anchor=False)
    when = fmt.moment(found.published_at)
    st.caption(_("{author} · published {when}").format(author=author_of(found.author), when=when))
    if labels_of(found):
        blocks.badges(labels_of(found))
    _message()
    if found.withdrawn_at is not None:
        blocks.empty(
            _("This strategy was withdrawn."), _("Its name stays; its rules are gone."), icon=":material/delete:"
        )
    else:
        _actions(found)
        if found.description:
            st.markdown(escape(found.description))
    _figures(found)
    if found.withdrawn_at is None:
        _curves(found)
        _rules(found)
    _family(publication_id)
    if found.withdrawn_at is None and not found.is_mine:
        report_button(SubjectKind.PUBLICATION, publication_id)
    thread(publication_id=publication_id)


def _count_view(publication_id: str) -> None:
    """Once a session."""
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    if publication_id not in seen:
        seen.add(publication_id)
        services.showcase().seen(publication_id)


def _message() -> None:
    told = st.session_state.pop(_MESSAGE, None)
    if told is not None:
        (st.success if told[0] else st.error)(told[1])


def _actions(found: PublicationDetail) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"{_('Liked') if found.liked else _('Like')} ({found.likes:,})",
            key="like_publication",
            icon=":material/favorite:" if found.liked else ":material/favorite_border:",
            on_click=_like,
            args=(found.id, found.liked),
        )
        if st.button(
            f"{_('Clone')} ({found.clones:,})",
            key="clone_publication",
            icon=":material/content_copy:",
            disabled=found.document is None,
            help=_("The rules are hidden: they cannot be cloned.")
            if found.sealed
            else _("Copies it to your strategies."),
        ):
            _clone(found.id)
        navigation.link("ranking", _("Ranking"), icon=":material/leaderboard:")
        navigation.link(
            "community", _("Write about it"), icon=":material/edit_square:", write="1", publication=found.id
        )
        if found.is_mine:
            if found.sealed and st.button(_("Open the seal"), key="reveal_publication", icon=":material/lock_open:"):
                _confirm(found.id, reveal=True)
            if st.button(_("Withdraw"), key="withdraw_publication", icon=":material/delete:"):
                _confirm(found.id, reveal=False)


def _like(publication_id: str, liked: bool) -> None:
    act = services.likes().unlike if liked else services.likes().like
    _told(lambda: act(identity.owner_id(), publication_id))


def _clone(publication_id: str) -> None:
    try:
        made = services.clones().clone(identity.owner_id(), publication_id)
    except StockLabError as error:
        st.error(text.for_error(error))
        return
    open_saved(made.id)
    navigation.go("builder")


def _told(act: Any, words: str | None = None) -> None:
    """Do it in a callback; tell at the top of the page how it went."""
    try:
        act()
    except StockLabError as error:
        st.session_state[_MESSAGE] = (False, text.for_error(error))
    else:
        if words is not None:
            st.session_state[_MESSAGE] = (True, words)


def _confirm(publication_id: str, *, reveal: bool) -> None:
    title = _("Open the seal?") if reveal else _("Withdraw this strategy?")

    @st.dialog(title)
    def dialog() -> None:
        if reveal:
            st.markdown(_("Everybody will see the rules and the salt, and can check that they are those of the seal."))
        else:
            st.markdown(_("Its rules are removed for good. Its name stays on the boards as a grave without a place."))
        service = services.publications()
        act = service.reveal if reveal else service.withdraw
        done = st.button(
            _("Open the seal") if reveal else _("Withdraw"),
            type="primary",
            key="publication_confirm",
            on_click=_told,
            args=(lambda: act(identity.owner_id(), publication_id), _("Done.")),
        )
        if st.button(_("Keep"), key="publication_keep") or done:
            st.rerun()

    dialog()


def _figures(found: PublicationDetail) -> None:
    st.subheader(_("Backtest at publication"), anchor=False)
    if found.run_start and found.run_end:
        st.caption(f"{fmt.day(found.run_start)} – {fmt.day(found.run_end)}")
    shown = found.metrics
    blocks.facts(
        {
            _("Total return"): fmt.percent(shown.get("total_return"), signed=True),
            _("CAGR"): fmt.percent(shown.get("cagr")),
            _("Maximum drawdown"): fmt.percent(shown.get("max_drawdown")),
            _("Volatility"): fmt.percent(shown.get("volatility")),
            _("Sharpe"): fmt.decimal(shown.get("sharpe")),
            _("Costs a year"): fmt.percent(shown.get("cost_per_year")),
            _("Capacity"): fmt.krw(shown.get("capacity_krw"), language()),
            _("Trades"): fmt.count(shown.get("n_trades")),
            _("Variants tried"): fmt.count(found.trials),
        }
    )
    st.caption(
        _(
            "Capacity: with this capital one purchase in twenty would be a tenth of what the stock trades that day; "
            "with more, its own orders would move the prices. "
            "Variants tried: how many versions of the idea its author ran before; the more, the more luck may be in it."
        )
    )


def _curves(found: PublicationDetail) -> None:
    growth = np.asarray(found.curve.get("growth", []), dtype=np.float64)
    if len(growth) > 1:
        st.caption(_("Growth of 1 won put in at the start"))
        sessions = [date.fromisoformat(day) for day in found.curve["sessions"]]
        st.plotly_chart(charts.values(sessions, growth), key="curve_backtest", config=charts.CONFIG)
    st.subheader(_("Since publication"), anchor=False)
    if len(found.marks) < 2:
        st.caption(_("Its clock has started. The first figure appears after the next session."))
        return
    last = found.marks[-1]
    st.metric(
        _("Return since publication"),
        fmt.percent(last.total_return, signed=True),
        help=_("Run every session from the day of publication with 100,000,000 won."),
    )
    st.caption(_("As of {day}, {count} sessions").format(day=fmt.day(last.session), count=len(found.marks) - 1))
    st.caption(_("Growth of 1 won put in on the day of publication"))
    series = np.array([1.0 + mark.total_return for mark in found.marks], dtype=np.float64)
    st.plotly_chart(
        charts.values([mark.session for mark in found.marks], series), key="curve_since", config=charts.CONFIG
    )


def _rules(found: PublicationDetail) -> None:
    st.subheader(_("Rules"), anchor=False)
    strategy = found.strategy()
    if strategy is None:
        if found.is_mine:
            words = _("You hide the rules: others see the seal below until you open it. They stand in My strategies.")
        else:
            words = _("The author hides the rules. The seal below was published with the results.")
        st.info(words, icon=":material/lock:")
    else:
        st.markdown("\n".join(f"- {escape(line)}" for line in describe_strategy(strategy, language())))
        with st.expander(_("As text (JSON)")):
            st.code(dump(strategy), language="json")
    if found.sealed_hash is None:
        return
    st.caption(
        _(
            "The seal is a fingerprint of the rules and a secret (SHA-256 of a salt followed by the canonical JSON). "
            "Once the author opens it, everybody can check that the rules were not changed."
        )
    )
    st.markdown(f"**{_('Seal')}**")
    st.code(found.sealed_hash, language=None, wrap_lines=True)
    if found.salt is not None and found.document is not None:
        st.markdown(f"**{_('Salt')}**")
        st.code(found.salt, language=None, wrap_lines=True)
        if fits_seal(found.document, found.salt, found.sealed_hash):
            st.success(_("The rules shown are those that were sealed."), icon=":material/verified:")
        else:
            st.error(_("The rules shown are not those that were sealed."))


def _family(publication_id: str) -> None:
    family = services.clones().family(identity.owner_id(), publication_id)
    if not family.ancestors and not family.descendants:
        return
    st.subheader(_("Family tree"), anchor=False)
    for words, members in ((_("Cloned from"), family.ancestors), (_("Published clones"), family.descendants)):
        if members:
            st.markdown(f"**{words}**")
            for member in members:
                _relative(member)
    if family.more:
        st.caption(_("The tree goes on."))


def _relative(member: Relative) -> None:
    mark = "\u2003" * (member.depth - 1) + "└ "
    if member.id is None or member.name is None:
        st.caption(mark + _("a strategy that is not listed"))
        return
    grave = f" · {_('Withdrawn')}" if member.is_grave else ""
    words = f"{mark}{escape(member.name)} · {author_of(member.author)}{grave}"
    navigation.link("shared", words, publication=member.id)
