"""Form fields bound to paths of the document: each shows the stored value and stores what is entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from stocklab.ui.builder import draft, state
from stocklab.ui.text import _, fault_text

__all__ = ["bind", "choice", "escape", "many", "number", "optional", "percent", "switch", "text", "whole", "write"]

_MISSING: Final = object()


def bind(key: str, value: Any) -> str:
    """Show ``value`` in the widget of that key, whatever it showed before; returns the key."""
    if st.session_state.get(key, _MISSING) != value:
        st.session_state[key] = value
    return key


def write(path: str, key: str, convert: Callable[[Any], Any] = lambda value: value) -> None:
    """Callback: store the widget's value at the path."""
    state.replace(draft.put(state.document(), path, convert(st.session_state[key])))


def _key(path: str) -> str:
    return f"field_{path.replace('.', '_')}"


def _fault(path: str) -> None:
    for fault in draft.faults_under(state.faults(), path):
        st.caption(f":red[{escape(fault_text(fault.code, fault.message))}]")


def escape(text: str) -> str:
    """Text as Markdown shows it literally."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]$~:" else letter for letter in text)


def _shown(path: str, *, kept: Callable[[Any], Any] = lambda value: value) -> str:
    return bind(_key(path), kept(draft.get(state.document(), path)))


def whole(
    path: str,
    label: str,
    *,
    least: int,
    most: int,
    step: int = 1,
    hint: str | None = None,
) -> None:
    """A whole number."""
    key = _shown(path)
    st.number_input(
        label, min_value=least, max_value=most, step=step, key=key, help=hint, on_change=write, args=(path, key, _int)
    )
    _fault(path)


def _int(value: Any) -> int | None:
    return None if value is None else int(value)


def number(path: str, label: str, *, least: float, most: float, step: float) -> None:
    """A plain number."""
    key = _shown(path, kept=float)
    st.number_input(
        label,
        min_value=float(least),
        max_value=float(most),
        step=float(step),
        format="%.4g",
        key=key,
        on_change=write,
        args=(path, key),
    )
    _fault(path)


def percent(
    path: str,
    label: str,
    *,
    least: float,
    most: float,
    step: float = 1.0,
    digits: int = 1,
    hint: str | None = None,
) -> None:
    """A fraction, entered in percent. What is stored is the decimal number the person sees, divided exactly once."""
    key = _shown(path, kept=lambda value: round(100.0 * value, 10))
    st.number_input(
        label,
        min_value=least,
        max_value=most,
        step=step,
        format=f"%.{digits}f",
        key=key,
        help=hint,
        on_change=write,
        args=(path, key, _fraction),
    )
    _fault(path)


def _fraction(value: float) -> float:
    return round(value / 100.0, 12)


def choice(
    path: str,
    label: str,
    options: Mapping[Any, str],
    *,
    hint: str | None = None,
    buttons: bool = False,
) -> None:
    """One of several; ``buttons`` shows them side by side."""
    key = _shown(path)
    if buttons:
        st.segmented_control(
            label,
            list(options),
            format_func=options.__getitem__,
            required=True,
            key=key,
            help=hint,
            on_change=write,
            args=(path, key),
        )
    else:
        st.selectbox(
            label, list(options), format_func=options.__getitem__, key=key, help=hint, on_change=write, args=(path, key)
        )
    _fault(path)


def many(
    path: str,
    label: str,
    options: Mapping[Any, str] | Sequence[Any],
    *,
    pills: bool = False,
    free: bool = False,
    hint: str | None = None,
    placeholder: str | None = None,
) -> None:
    """Any number of several, kept in the order of the options (``free``: the person may add more)."""
    stored = draft.get(state.document(), path)
    names = options if isinstance(options, Mapping) else {option: str(option) for option in options}
    shown = [*names, *(value for value in stored if value not in names)]
    key = bind(_key(path), stored)
    show = lambda value: names.get(value, str(value))  # noqa: E731
    keep = lambda values: [value for value in shown if value in values] + [v for v in values if v not in shown]  # noqa: E731
    if pills:
        st.pills(
            label,
            shown,
            selection_mode="multi",
            format_func=show,
            wrap=True,
            key=key,
            help=hint,
            on_change=write,
            args=(path, key, keep),
        )
    else:
        st.multiselect(
            label,
            shown,
            format_func=show,
            key=key,
            help=hint,
            placeholder=placeholder or _("All"),
            accept_new_options=free,
            on_change=write,
            args=(path, key, list),
        )
    _fault(path)


def switch(path: str, label: str, *, hint: str | None = None) -> bool:
    """On or off; returns which."""
    key = _shown(path)
    st.toggle(label, key=key, help=hint, on_change=write, args=(path, key))
    _fault(path)
    return bool(draft.get(state.document(), path))


def optional(path: str, label: str, fresh: Any, *, hint: str | None = None) -> bool:
    """A switch between null and a value; ``fresh`` is what switching on stores. Returns whether it is on."""
    stored = draft.get(state.document(), path)
    key = bind(f"{_key(path)}_on", stored is not None)
    st.toggle(label, key=key, help=hint, on_change=write, args=(path, key, lambda on: fresh if on else None))
    if stored is None:
        _fault(path)
    return stored is not None


def text(path: str, label: str, *, area: bool = False, placeholder: str = "", limit: int = 500) -> None:
    """Free text."""
    key = _shown(path)
    draw = st.text_area if area else st.text_input
    draw(label, key=key, placeholder=placeholder, max_chars=limit, on_change=write, args=(path, key))
    _fault(path)
