"""Accounts as admins see them: search, pages of twenty, and what can be done with each."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urljoin

import streamlit as st

from stocklab.accounts import Role, Standing, User
from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import plan_name, rerun_saying, said
from stocklab.ui.builder.fields import escape
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import _

__all__ = ["people_section"]

_LINK: Final = "admin_reset_link"
_BAN: Final = timedelta(days=7)


def people_section(admin_id: str) -> None:
    """The search, the accounts of the page, and the way to the next."""
    said()
    search = st.text_input(
        _("Search"), key="admin_search", icon=":material/search:", placeholder=_("Beginning of e-mail or nickname")
    )
    begun = places("admin", search)
    administration = cached.lab().accounts.administration
    found = administration.page(admin_id, search=search or "", after=begun[-1])
    if not found.users:
        blocks.empty(
            _("Nobody matches this search."),
            _("It looks at how an e-mail or a nickname begins."),
            icon=":material/search_off:",
        )
    for user in found.users:
        _card(admin_id, user)
    turn_pages("admin", begun, found.following)


def _card(admin_id: str, user: User) -> None:
    now = datetime.now(UTC)
    marks = [blocks.badge(plan_name(user.plan), "sell")]
    if user.role is Role.ADMIN:
        marks.append(blocks.badge(_("admin"), "shield_person", "blue"))
    if user.has_second_factor:
        marks.append(blocks.badge(_("second step"), "phonelink_lock", "green"))
    if user.standing(now) is not Standing.GOOD:
        off = user.standing(now) is Standing.OFF
        marks.append(blocks.badge(_("off") if off else _("banned"), "block", "red"))
    begun = fmt.moment(user.created_at)
    if user.last_seen_at is None:
        times = _("since {begun}, not seen yet").format(begun=begun)
    else:
        times = _("since {begun}, last seen {seen}").format(begun=begun, seen=fmt.moment(user.last_seen_at))
    card = st.container(border=True, key=f"user_{user.id}")
    with card.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(width="content", gap="xsmall"):
            st.markdown(f"**{escape(user.nickname)}** {' '.join(marks)}")
            st.html(
                f'<p class="lab-caption">{html.escape(f"{user.email} · {times}")}</p>'
            )  # Markdown makes links of e-mails
        with st.popover(_("Change"), icon=":material/edit:", key=f"change_{user.id}"):
            _plan(admin_id, user)
            _reset(admin_id, user)
            if user.id != admin_id:
                _standing(admin_id, user, now)
    with card:
        _link(user)


def _link(user: User) -> None:
    """A link just made, where the admin is looking: in the card of the person it is for."""
    whose, link = st.session_state.get(_LINK, ("", ""))
    if whose == user.id:
        del st.session_state[_LINK]
        st.info(_("Hand this link to the person: it works once, for a day."), icon=":material/link:")
        st.code(link, language=None, wrap_lines=True)


def _plan(admin_id: str, user: User) -> None:
    administration, plans = cached.lab().accounts.administration, list(cached.lab().accounts.plans.known)
    if user.plan not in plans:
        plans.insert(0, user.plan)
    chosen = st.selectbox(_("Plan"), plans, index=plans.index(user.plan), format_func=plan_name, key=f"plan_{user.id}")
    if chosen != user.plan:
        with blocks.guarded():
            administration.set_plan(admin_id, user.id, chosen)
            rerun_saying(_("Saved."))


def _reset(admin_id: str, user: User) -> None:
    accounts = cached.lab().accounts
    if st.button(_("Link for a new password"), key=f"reset_{user.id}", icon=":material/link:"):
        with blocks.guarded():
            link = accounts.reset_link(accounts.administration.reset_token(admin_id, user.id))
            # without STOCKLAB_PUBLIC_URL the path alone, which opens at the address the admin came by
            st.session_state[_LINK] = (user.id, urljoin(st.context.url or "", link))
            st.rerun()
    if user.has_second_factor and st.button(
        _("Remove the second step"), key=f"second_{user.id}", icon=":material/phonelink_erase:"
    ):
        with blocks.guarded():
            accounts.administration.drop_second_factor(admin_id, user.id)
            rerun_saying(_("The second step is off."))


def _standing(admin_id: str, user: User, now: datetime) -> None:
    administration = cached.lab().accounts.administration
    is_admin = user.role is Role.ADMIN
    if st.button(_("Make a member") if is_admin else _("Make an admin"), key=f"role_{user.id}"):
        with blocks.guarded():
            administration.set_role(admin_id, user.id, Role.MEMBER if is_admin else Role.ADMIN)
            rerun_saying(_("Saved."))
    if st.button(_("Switch off") if user.is_active else _("Switch on"), key=f"active_{user.id}"):
        with blocks.guarded():
            administration.set_active(admin_id, user.id, active=not user.is_active)
            rerun_saying(_("Saved."))
    banned = user.banned_until is not None and user.banned_until > now
    if st.button(_("End the ban") if banned else _("Ban for 7 days"), key=f"ban_{user.id}"):
        with blocks.guarded():
            administration.ban(admin_id, user.id, until=None if banned else now + _BAN)
            rerun_saying(_("Saved."))
