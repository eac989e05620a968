"""Blocks every page uses: title, empty and error states, labels of data, tables of facts."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st
import structlog

from stocklab.counts import COUNTS
from stocklab.errors import StockLabError
from stocklab.ui import format as fmt
from stocklab.ui import identity, navigation, text
from stocklab.ui.text import _

__all__ = [
    "badge",
    "badges",
    "basis_badge",
    "basis_hint",
    "demo_badge",
    "empty",
    "facts",
    "guarded",
    "no_data",
    "table",
    "title",
]

log = structlog.get_logger(__name__)


def title(words: str, explanation: str = "") -> None:
    """The page's heading with one line that says what it is for."""
    st.title(words, anchor=False)
    if explanation:
        st.caption(explanation)


def empty(words: str, hint: str = "", *, icon: str = ":material/inbox:") -> None:
    """Nothing here yet, and what to do about it."""
    with st.container(border=True, horizontal_alignment="center", key=f"empty_{abs(hash(words))}"):
        st.markdown(f"#### {icon} {words}", text_alignment="center")
        if hint:
            st.markdown(hint, text_alignment="center")


def no_data() -> None:
    """The state of every page in a home without market data; only who runs the place can make or import some."""
    if not identity.is_admin():
        empty(
            _("There is no market data yet."),
            _("The people who run this place load it. Come back later."),
            icon=":material/database:",
        )
        return
    empty(
        _("There is no market data yet."),
        _("Make the demo market, or import your own files."),
        icon=":material/database:",
    )
    st.code("stocklab demo\nstocklab data import PATH...", language=None)
    navigation.link("data", _("How to import data"), icon=":material/arrow_forward:")


def badges(labels: Sequence[str], *, hint: str | None = None) -> None:
    """Labels side by side, as one element: a page run pays for each element."""
    st.markdown(" ".join(labels), help=hint, width="content")


def badge(words: str, icon: str, colour: str = "gray") -> str:
    """Markdown of one label."""
    return f":{colour}-badge[:material/{icon}: {words}]"


def demo_badge() -> str:
    """The label every page carries while the data is synthetic."""
    return badge(_("Demo data (synthetic)"), "science", "orange")


def basis_badge(basis: str) -> str:
    """Which prices a run traded on."""
    names = {"raw": _("Raw prices"), "adjusted": _("Adjusted prices"), "coin": _("Coins (Upbit)")}
    return badge(names.get(basis, basis), "payments", "blue")


def basis_hint(basis: str) -> str | None:
    """What trading on those prices means."""
    return {
        "raw": _("Traded prices, with splits and rights as events."),
        "adjusted": _("Prices adjusted backward: share counts are hypothetical."),
        "coin": _("A session is a day from 09:00 to 09:00 Korean time, every day of the year."),
    }.get(basis)


def facts(pairs: Mapping[str, Any]) -> None:
    """Names and values in two columns; text is shown literally."""
    rows = "".join(
        f"<dt>{html.escape(str(name))}</dt><dd>{html.escape(fmt.DASH if value in (None, '') else str(value))}</dd>"
        for name, value in pairs.items()
    )
    st.html(f'<dl class="lab-facts">{rows}</dl>')


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, stacked: bool = False) -> None:
    """A small table of words; text is shown literally, and wraps.

    ``stacked`` puts the cells of a row below each other, each with its heading, where the screen is narrow.
    """
    names = [html.escape(name) for name in heads]
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-label="{name}">{html.escape(cell)}</td>' for name, cell in zip(names, row, strict=True))
        + "</tr>"
        for row in rows
    )
    kind = "lab-table lab-stack" if stacked else "lab-table"
    st.html(f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


@contextmanager
def guarded(level: Literal["error", "warning"] = "error") -> Iterator[None]:
    """Show an error of the product in the user's language instead of a broken page."""
    try:
        yield
    except StockLabError as error:
        COUNTS.page_error("expected")
        log.info("page_error", error=type(error).__name__, message=str(error))
        (st.error if level == "error" else st.warning)(text.for_error(error))
