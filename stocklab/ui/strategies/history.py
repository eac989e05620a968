"""Versions of a saved strategy: what changed, which runs each had, going back to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.portfolios import StrategySummary, StrategyVersion, VersionHistory
from stocklab.strategy import parse_document
from stocklab.strategy.differences import differences
from stocklab.ui import blocks, identity
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.runs_list import runs_table
from stocklab.ui.shared import services
from stocklab.ui.text import _, language

__all__ = ["history"]


def history(saved: StrategySummary, restore: Callable[[str, int], None]) -> None:
    """Every version, newest first, with a comparison of any two; ``restore`` is called with the id and the version."""
    found = services.shelf().history(identity.owner_id(), saved.id)
    tried = services.shelf().trials(identity.owner_id(), saved.id)
    st.caption(
        _("Variants of this idea that you tried: {count}. The more, the less the best of them proves.").format(
            count=f"{tried:,}"
        )
    )
    st.markdown(f"**{_('Versions')}**")
    for one in found:
        _version(saved, one, restore)
    if len(found) > 1:
        _comparison(saved.id, [one.version for one in found])


def _version(saved: StrategySummary, one: VersionHistory, restore: Callable[[str, int], None]) -> None:
    version = one.version
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        runs = fmt.counted(len(one.runs), _("1 run"), _("{count} runs"))
        st.caption(f"{version.version} · {fmt.moment(version.created_at)} · {escape(version.name)} · {runs}")
        if version.version != saved.version:
            st.button(
                _("Restore"),
                key=f"restore_{saved.id}_{version.version}",
                type="tertiary",
                on_click=restore,
                args=(saved.id, version.version),
            )
    if one.runs:
        runs_table(one.runs, key=f"runs_{saved.id}_{version.version}")
    elif version.version == saved.version:
        st.caption(_("Not run yet since it was saved."))


def _comparison(strategy_id: str, versions: Sequence[StrategyVersion]) -> None:
    st.markdown(f"**{_('What changed')}**")
    numbers = {version.version: version for version in versions}
    left, right = st.columns(2)
    old = left.selectbox(_("From version"), list(numbers), index=1, key=f"diff_old_{strategy_id}")
    new = right.selectbox(_("To version"), list(numbers), index=0, key=f"diff_new_{strategy_id}")
    try:
        changed = differences(parse_document(numbers[old].document), parse_document(numbers[new].document))
    except StockLabError:
        st.warning(_("One of the versions cannot be read any more."))
        return
    if changed:
        blocks.table(
            (_("Field"), _("Version {number}").format(number=old), _("Version {number}").format(number=new)),
            [one.words(language()) for one in changed],
            stacked=True,
        )
    else:
        st.caption(_("These versions are the same."))
