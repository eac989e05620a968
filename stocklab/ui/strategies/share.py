"""Sharing a saved strategy: what the choices mean, and what of it is shared already."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.portfolios import StrategySummary
from stocklab.sharing import LONGEST_DESCRIPTION, Visibility, Wish
from stocklab.ui import blocks, identity, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.shared import services
from stocklab.ui.shared.cards import labels_of
from stocklab.ui.text import N_, _

__all__ = ["open_published", "share_dialog"]

_OUTCOME: Final = "share_outcome"

_VISIBILITIES: Final[dict[Visibility, str]] = {
    "public": N_("Public: in the list and on the boards"),
    "unlisted": N_("Not listed: only by its link"),
}


def share_dialog(saved: StrategySummary) -> None:
    """Ask how, and publish."""

    @st.dialog(_("Share this strategy"))
    def dialog() -> None:
        st.markdown(
            _("Version {version} of **{name}** is published with its newest finished run.").format(
                version=saved.version, name=escape(saved.name)
            )
        )
        st.caption(_("A publication never changes, and its clock starts now. Publishing again makes another one."))
        _choices()
        if st.button(
            _("Publish"),
            type="primary",
            key="share_confirm",
            icon=":material/public:",
            on_click=_publish,
            args=(saved.id, saved.version),
        ):
            st.rerun()
        _shared_already(saved.id)

    dialog()


def open_published() -> None:
    """Open what the dialog has just published, or tell at the top of the page why it did not."""
    told = st.session_state.pop(_OUTCOME, None)
    if told is None:
        return
    if told[0]:
        navigation.go("shared", publication=told[1])
    st.error(told[1])


def _choices() -> None:
    st.radio(
        _("Who sees it"),
        list(_VISIBILITIES),
        format_func=lambda key: _(_VISIBILITIES[key]),
        key="share_visibility_choice",
    )
    st.checkbox(_("Publish anonymously"), key="share_anonymous", help=_("Nobody but you learns who published it."))
    st.checkbox(
        _("Hide the rules"),
        key="share_hides",
        help=_("Only results are shown, with a seal (a hash) that proves later which rules they were. No clones."),
    )
    st.text_area(_("Description"), key="share_description", max_chars=LONGEST_DESCRIPTION, placeholder=_("Optional"))


def _publish(strategy_id: str, version: int) -> None:
    """Callback: what was chosen is in the session."""
    chosen = st.session_state
    wish = Wish(
        strategy_id=strategy_id,
        version=version,
        visibility=chosen["share_visibility_choice"],
        is_anonymous=bool(chosen["share_anonymous"]),
        hides_rules=bool(chosen["share_hides"]),
        description=chosen["share_description"] or "",
    )
    try:
        chosen[_OUTCOME] = (True, services.publications().publish(identity.owner_id(), wish))
    except StockLabError as error:
        chosen[_OUTCOME] = (False, text.for_error(error))


def _shared_already(strategy_id: str) -> None:
    page = services.showcase().mine(identity.owner_id(), strategy_id=strategy_id)
    if not page.items:
        return
    st.markdown(f"**{_('Shared before')}**")
    for card in page.items:
        navigation.link("shared", f"{fmt.moment(card.published_at)} · {escape(card.name)}", publication=card.id)
        blocks.badges(labels_of(card))
