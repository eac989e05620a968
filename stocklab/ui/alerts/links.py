"""Links of alerts: a page of this app with its parameters, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl

from stocklab.ui import navigation
from stocklab.ui.text import _

__all__ = ["open_link"]


def open_link(link: str) -> None:
    """A link to the page an alert is about; nothing where this version has no such page."""
    name, _mark, query = link.partition("?")
    if name in navigation.PAGES:
        navigation.link(name, _("Open"), icon=":material/arrow_forward:", **dict(parse_qsl(query)))
