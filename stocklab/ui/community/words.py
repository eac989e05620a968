"""Words of the community: kinds, reasons, refusals; and texts of strangers as Markdown that shows them literally."""

from __future__ import annotations

import html
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import streamlit as st

from stocklab.accounts import LEFT_NAME
from stocklab.community import Category, Reason, Refusal, RefusalCode, SubjectKind
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.author import author_name
from stocklab.ui.text import N_, _

__all__ = ["CATEGORIES", "KINDS", "REASONS", "allowed", "by_line", "literal", "refusal_text"]

CATEGORIES: Final[Mapping[str, str]] = {
    Category.STRATEGY.value: N_("Strategies"),
    Category.FREE.value: N_("Free talk"),
    Category.QNA.value: N_("Questions"),
}
REASONS: Final[Mapping[str, str]] = {
    Reason.SPAM.value: N_("Advertising or spam"),
    Reason.ABUSE.value: N_("Insult or hate"),
    Reason.FRAUD.value: N_("Fraud or manipulation"),
    Reason.PRIVACY.value: N_("Private data of others"),
    Reason.COPYRIGHT.value: N_("Copyright"),
    Reason.OTHER.value: N_("Something else"),
}
KINDS: Final[Mapping[str, str]] = {
    SubjectKind.POST.value: N_("Post"),
    SubjectKind.COMMENT.value: N_("Comment"),
    SubjectKind.PUBLICATION.value: N_("Published strategy"),
}
_REFUSALS: Final[Mapping[RefusalCode, str]] = {
    RefusalCode.EMPTY: N_("Nothing was written."),
    RefusalCode.TOO_LONG: N_("This is too long: at most {most} characters."),
    RefusalCode.TOO_MANY: N_("These are too many: at most {most}."),
    RefusalCode.NOT_FOUND: N_("This is not here: it was deleted or hidden, or the link is wrong."),
    RefusalCode.NOT_YOURS: N_("This belongs to somebody else."),
    RefusalCode.TOO_FAST: N_("Too often in a short time. Try again in {wait}."),
    RefusalCode.DUPLICATE: N_("You wrote the same here a short while ago."),
    RefusalCode.BANNED: N_("This account may not write before {until}."),
    RefusalCode.CLOSED: N_("Nothing can be added here any more."),
    RefusalCode.ADMINS_ONLY: N_("Only an admin may do this."),
}
_JOINER: Final = "\u2060"


def literal(text: str) -> str:
    """A line of a stranger as Markdown of Streamlit shows it: no mark, link, icon, colour or formula comes of it.

    Every sign is escaped. Icons and emoji are looked for after that, so colons are kept from their words by a sign
    without width; the like keeps bare addresses from becoming links.

    >>> literal("a*b").encode("ascii", "backslashreplace")
    b'a\\\\*b'
    """
    line = " ".join(text.split())
    return "".join(
        f"\\{letter}{_JOINER}" if letter in ":.@" else f"\\{letter}" if letter in string.punctuation else letter
        for letter in line
    )


def by_line(author: str | None, *, left: bool, at: datetime, edited: bool) -> str:
    """HTML: who wrote something, and when."""
    name = _("Anonymous") if author is None else author_name(author)
    gone = f" ({html.escape(_('left'))})" if left and author != LEFT_NAME else ""
    parts = [f"<b>{html.escape(name)}</b>{gone}"]
    parts.append(html.escape(fmt.moment(at)))
    if edited:
        parts.append(html.escape(_("edited")))
    return " · ".join(parts)


def refusal_text(refusal: Refusal) -> str:
    """A refusal in the user's language."""
    wait = "" if refusal.wait is None else _duration(refusal.wait.total_seconds())
    until = "" if refusal.until is None else fmt.moment(refusal.until)
    return _(_REFUSALS[refusal.code]).format(most=f"{refusal.most:,}" if refusal.most else "", wait=wait, until=until)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return fmt.counted(max(1, round(seconds)), _("1 second"), _("{count} seconds"))
    return _("{count} minutes").format(count=round(seconds / 60))


@contextmanager
def allowed() -> Iterator[None]:
    """Say what was refused, and show other errors as every page does."""
    with blocks.guarded():
        try:
            yield
        except Refusal as refusal:
            st.warning(refusal_text(refusal), icon=":material/block:")
