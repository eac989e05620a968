"""Keys of a source: entered once, kept encrypted, never shown again."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.operations import KeyState, SourceLine
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.data.names import HOW_TO_GET, KEYS
from stocklab.ui.text import _

__all__ = ["keys_form", "said"]

_SAID: Final = "keys_said"


def said() -> None:
    """What the last change of a key did, once."""
    words = st.session_state.pop(_SAID, None)
    if words:
        st.success(words, icon=":material/key:")


def keys_form(line: SourceLine) -> None:
    """How to get the keys of a source, fields to set them, and buttons to delete those that are kept here."""
    source = line.source
    address = source.address.removeprefix("https://")
    st.markdown(f"{_(HOW_TO_GET[source.name])} [{address}]({source.address})")
    with st.form(f"keys_{source.name}", clear_on_submit=True, border=False):
        entered = {key.name: _field(key) for key in line.keys}
        changeable = any(key.held != "environment" for key in line.keys)
        saved = st.form_submit_button(
            _("Save"), key=f"save_{source.name}", icon=":material/save:", disabled=not changeable
        )
    if changeable:
        st.caption(_("Kept encrypted in the app database, used only to ask this source, and never shown again."))
    if saved:
        _save({name: value for name, value in entered.items() if value})
    kept = [key for key in line.keys if key.held == "stored"]
    if kept and st.button(_("Delete the stored keys"), key=f"delete_{source.name}", icon=":material/delete:"):
        _delete(kept)


def _field(key: KeyState) -> str:
    """An empty field: what is set is never sent to a browser."""
    if key.held == "environment":
        hint = _("Set in the environment")
    elif key.since is not None:
        hint = _("Set {moment}; a new value replaces it").format(moment=fmt.moment(key.since))
    else:
        hint = _("Not set")
    return (
        st.text_input(
            _(KEYS[key.name]),
            type="password",
            key=f"field_{key.name}",
            placeholder=hint,
            autocomplete="new-password",
            disabled=key.held == "environment",
            help=_("The environment sets STOCKLAB_{name}; change it there.").format(name=key.name.upper())
            if key.held == "environment"
            else None,
        )
        or ""
    )


def _save(entered: dict[str, str]) -> None:
    if not entered:
        st.warning(_("Nothing was entered."), icon=":material/key_off:")
        return
    with blocks.guarded():
        cached.lab().save_source_keys(entered, actor_id=identity.owner_id())
        st.session_state[_SAID] = _("Saved. The next sync uses it.")
        st.rerun()


def _delete(kept: list[KeyState]) -> None:
    with blocks.guarded():
        keys = cached.lab().source_keys()
        for key in kept:
            keys.delete(key.name, actor_id=identity.owner_id())
        st.session_state[_SAID] = _("Deleted. The source is off from the next sync on.")
        st.rerun()
