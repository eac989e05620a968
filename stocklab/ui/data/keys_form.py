"""Keys of a source: entered once, kept encrypted, never shown again."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.operations import KeyState, SourceLine
from stocklab.operations.key_trials import ask_trial
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


def keys_form(line: SourceLine, *, alive: bool) -> None:
    """How to get the keys of a source, fields to set them, and buttons to delete those that are kept here.

    ``alive``: whether a scheduler runs, which tries what is saved.
    """
    source = line.source
    address = source.address.removeprefix("https://")
    st.markdown(f"{_(HOW_TO_GET[source.name])} [{address}]({source.address})")
    if not identity.is_admin():
        st.caption(_("Only admins enter keys."))
        return
    with st.form(f"keys_{source.name}", clear_on_submit=True, border=False):
        entered = {key.name: _field(key) for key in line.keys}
        changeable = any(key.held != "environment" for key in line.keys)
        saved = st.form_submit_button(
            _("Save"), key=f"save_{source.name}", icon=":material/save:", disabled=not changeable
        )
    if changeable:
        st.caption(_("Kept encrypted in the app database, used only to ask this source, and never shown again."))
    if saved:
        _save(line, {name: value for name, value in entered.items() if value}, alive=alive)
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


def _save(line: SourceLine, entered: dict[str, str], *, alive: bool) -> None:
    if not entered:
        st.warning(_("Nothing was entered."), icon=":material/key_off:")
        return
    with blocks.guarded():
        lab = cached.lab()
        lab.save_source_keys(entered, actor_id=identity.owner_id())
        if not line.switched_on or not set(line.missing) <= entered.keys():
            st.session_state[_SAID] = _("Saved. The source needs its other keys too.")
        else:
            ask_trial(lab.intents, identity.owner_id(), line.source.name)
            st.session_state[_SAID] = (
                _("Saved, and being tried now. The next sync uses it.")
                if alive
                else _("Saved. It is tried as soon as the background process runs, and the next sync uses it.")
            )
        st.rerun()


def _delete(kept: list[KeyState]) -> None:
    with blocks.guarded():
        keys = cached.lab().source_keys()
        for key in kept:
            keys.delete(key.name, actor_id=identity.owner_id())
        st.session_state[_SAID] = _("Deleted. The source is off from the next sync on.")
        st.rerun()
