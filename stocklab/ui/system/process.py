"""This process: sessions, errors, caches, the disk and the versions."""

from __future__ import annotations

import platform
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil
import streamlit as st

from stocklab import __version__
from stocklab.caches import CacheFigures, Group, cache_figures, remember
from stocklab.counts import COUNTS
from stocklab.db import revision
from stocklab.errors import StockLabError
from stocklab.operations import HomeUse, home_use
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.system import words
from stocklab.ui.text import _

__all__ = ["caches", "disk", "figures", "versions"]

LIBRARIES: Final = ("streamlit", "numpy", "numba", "polars", "duckdb", "sqlalchemy")
_DISK_SECONDS: Final = 300


def figures(now: datetime) -> None:
    """Sessions, sockets, memory and errors since the start."""
    st.subheader(_("This process"), anchor=False)
    settings = cached.lab().settings
    sockets = sum(COUNTS.sockets().values())
    errors = COUNTS.page_errors()
    with st.grid(6, min_column_width=130, gap="xsmall"):
        st.metric(
            _("Open sessions"),
            f"{COUNTS.sessions:,} / {settings.max_sessions:,}",
            border=True,
            help=_("Open browser tabs, and how many fit (STOCKLAB_MAX_SESSIONS). Beyond it newcomers wait."),
        )
        st.metric(_("Open sockets"), fmt.count(sockets), border=True)
        st.metric(_("Memory"), words.size(psutil.Process().memory_info().rss), border=True)
        st.metric(_("Running since"), words.span((now - COUNTS.started_at).total_seconds()), border=True)
        st.metric(
            _("Page errors"),
            fmt.count(errors["program"]),
            border=True,
            help=_("Faults of the program in pages since the start. The log has the details."),
        )
        st.metric(
            _("Browser errors"),
            fmt.count(COUNTS.browser_errors),
            border=True,
            help=_("Errors that browsers reported since the start. The log has the details."),
        )
    if COUNTS.newcomers_turned_away:
        st.caption(_("{n} visitors got the busy page.").format(n=fmt.count(COUNTS.newcomers_turned_away)))


def caches() -> None:
    """Every cache with its hits, misses and lifetime."""
    st.subheader(_("Caches"), anchor=False)
    heads = (_("Cache"), _("Entries"), _("Hits"), _("Misses"), _("Hit rate"), _("Lifetime"))
    found = sorted(cache_figures(), key=lambda one: -(one.hits + one.misses))
    used = [one for one in found if one.hits + one.misses]
    if used:
        blocks.table(heads, [_cache_row(one) for one in used], stacked=True)
    unused = ", ".join(_(words.CACHES.get(one.name, one.name)) for one in found if not one.hits + one.misses)
    if unused:
        st.caption(_("Not asked yet: {names}").format(names=unused))


def _cache_row(one: CacheFigures) -> tuple[str, ...]:
    return (
        _(words.CACHES.get(one.name, one.name)),
        fmt.DASH if one.entries is None or one.most is None else f"{one.entries:,} / {one.most:,}",
        fmt.count(one.hits),
        fmt.count(one.misses),
        fmt.percent(one.hits / (one.hits + one.misses), digits=1),
        fmt.DASH if one.lifetime_seconds is None else words.span(one.lifetime_seconds),
    )


@remember("home_use", Group.SCREEN, 1)
def _home_use(home: str, turn: int) -> HomeUse:
    return home_use(Path(home))


def disk() -> None:
    """What the home takes, by part."""
    st.subheader(_("Disk"), anchor=False)
    home = cached.lab().store.home.resolve()
    try:
        use = _home_use(str(home), int(time.time() // _DISK_SECONDS))
    except OSError as error:
        st.error(str(error), icon=":material/error:")
        return
    rows = [
        (_(words.HOME_PARTS[part]) if part in words.HOME_PARTS else part, words.size(number))
        for part, number in sorted(use.parts.items(), key=lambda item: -item[1])
    ]
    total = (_("All of it"), words.size(use.used_bytes))
    blocks.table((_("Part of the home"), _("On disk")), [*rows, total])
    free, whole = words.size(use.free_bytes), words.size(use.disk_bytes)
    if identity.is_admin():
        st.caption(_("{free} of {whole} free on this disk. Home: {home}").format(free=free, whole=whole, home=home))
    else:  # where the server keeps its files is no business of its members
        st.caption(_("{free} of {whole} free on this disk.").format(free=free, whole=whole))


def versions() -> None:
    """Of the program, its libraries and the database's schema."""
    st.subheader(_("Versions"), anchor=False)
    pairs = {"Stock Lab": __version__, "Python": platform.python_version()}
    pairs |= {name: version(name) for name in LIBRARIES}
    database = cached.lab().database
    try:
        pairs[database.backend] = _("schema {revision}").format(revision=revision(database))
    except StockLabError:
        pairs[database.backend] = fmt.DASH
    blocks.facts(pairs)
