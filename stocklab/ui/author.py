"""Who wrote or published something, as readers see it."""

from __future__ import annotations

from stocklab.accounts import LEFT_NAME
from stocklab.ui.text import _

__all__ = ["author_name"]


def author_name(author: str | None) -> str:
    """The nickname as it is; words of ours for nobody named and for whoever left. It is text, to be escaped."""
    if author is None:
        return _("anonymous")
    return _("left user") if author == LEFT_NAME else author
