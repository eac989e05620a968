"""Publications in lists: name, author, labels, figures."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.sharing import PublicationCard, Sort
from stocklab.strategy.labels import label
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.author import author_name
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import N_, _, language

__all__ = ["SORT_WORDS", "author_of", "figures", "labels_of", "pager", "publication_card"]

SORT_WORDS: Final[dict[Sort, str]] = {
    "newest": N_("Newest first"),
    "likes": N_("Most liked"),
    "clones": N_("Most cloned"),
}
_FACTORS_SHOWN: Final = 6


def author_of(author: str | None) -> str:
    """Who published it, as Markdown."""
    return escape(author_name(author))


def labels_of(card: PublicationCard) -> list[str]:
    """What is special about a publication."""
    found = []
    if card.synthetic:
        found.append(blocks.demo_badge())
    if card.sealed:
        found.append(blocks.badge(_("Rules hidden"), "lock", "violet"))
    if card.visibility == "unlisted":
        found.append(blocks.badge(_("Only by its link"), "link", "blue"))
    if card.withdrawn_at is not None:
        found.append(blocks.badge(_("Withdrawn"), "delete", "gray"))
    if card.hidden_at is not None:
        found.append(blocks.badge(_("Hidden by moderators"), "visibility_off", "red"))
    if card.is_mine:
        found.append(blocks.badge(_("Mine"), "person", "green"))
    return found


def figures(card: PublicationCard) -> str:
    """The figures of its backtest in a line."""
    found = card.metrics
    return " · ".join(
        (
            f"{_('Total return')} **{fmt.percent(found.get('total_return'), digits=1, signed=True)}**",
            f"{_('CAGR')} {fmt.percent(found.get('cagr'), digits=1)}",
            f"{_('Maximum drawdown')} {fmt.percent(found.get('max_drawdown'), digits=1)}",
            f"{_('Sharpe')} {fmt.decimal(found.get('sharpe'))}",
            f"{_('Capacity')} {fmt.krw(found.get('capacity_krw'), language())}",
            f"{_('Variants tried')} {fmt.count(card.trials)}",
        )
    )


def publication_card(card: PublicationCard) -> None:
    """One publication of a list."""
    with st.container(border=True, key=f"publication_{card.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(width="content", gap="xsmall"):
                st.markdown(f"**{escape(card.name)}** &nbsp; " + " ".join(labels_of(card)))
                when = fmt.moment(card.published_at)
                st.caption(_("{author} · published {when}").format(author=author_of(card.author), when=when))
            navigation.link("shared", _("Open"), icon=":material/arrow_forward:", publication=card.id)
        st.markdown(figures(card))
        factors = [escape(label(name, language())) for name in card.factors[:_FACTORS_SHOWN]]
        counts = f":material/favorite: {card.likes:,} · :material/content_copy: {card.clones:,}"
        st.caption(" · ".join([f"{counts} · :material/visibility: {card.views:,}", *factors]))


def pager(key: str, after: str | None) -> None:
    """Buttons to the next page and back to the first; ``key`` is where the session keeps the place."""
    if after is None and not st.session_state.get(key):
        return
    with st.container(horizontal=True):
        if st.session_state.get(key) and st.button(_("First page"), key=f"{key}_first", icon=":material/first_page:"):
            st.session_state[key] = None
            st.rerun()
        if after is not None and st.button(_("Next page"), key=f"{key}_next", icon=":material/chevron_right:"):
            st.session_state[key] = after
            st.rerun()
