"""What the checks found: how often, examples, and a score for each symbol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from stocklab.data.quality import EXAMPLES
from stocklab.data.quality_scores import SymbolFindings, knows_symbols
from stocklab.data.snapshot import Snapshot
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.data import lookups
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.names import BASES, CHECKS, COLUMNS, DATASETS, SHORT, symbol_cell, symbol_column
from stocklab.ui.text import _

__all__ = ["finding_words", "quality_section", "scores_table"]

_SHOWN: Final = 300


def quality_section(desk: Desk) -> None:
    """Counts, examples of one kind of finding, and the scores."""
    snapshot = desk.snapshot
    if snapshot is None:
        return
    report = lookups.quality_report(snapshot)
    found = sorted(
        (one for one in report.get("checks", ()) if one["count"]),
        key=lambda one: (-one["count"], one["dataset"], one["check"]),
    )
    st.subheader(_("Quality checks"), anchor=False)
    st.caption(_("Findings are kept and shown, not hidden: real markets produce them too. A broken file is refused."))
    if not found:
        st.success(_("The checks found nothing."), icon=":material/verified:")
        return
    _counts(found)
    _examples(snapshot, found)
    _scores(snapshot, report)


def _counts(found: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [
            fmt.count(one["count"]),
            _(CHECKS.get(one["check"], one["check"])),
            _(DATASETS.get(one["dataset"], one["dataset"])),
        ]
        for one in found
    ]
    blocks.table([_("Findings"), _("Check"), _("Dataset")], rows)


def _examples(snapshot: Snapshot, found: Sequence[Mapping[str, Any]]) -> None:
    st.subheader(_("Examples"), anchor=False)
    by_code = {f"{one['dataset']}.{one['check']}": one for one in found}
    chosen = st.selectbox(
        _("Finding"),
        list(by_code),
        format_func=lambda code: (
            f"{finding_words(by_code[code]['dataset'], by_code[code]['check'])} ({fmt.count(by_code[code]['count'])})"
        ),
        key="finding_choice",
    )
    one = by_code[chosen or next(iter(by_code))]
    names = lookups.names(snapshot)
    rows: list[dict[str, Any]] = []
    for example in one["examples"]:
        row = dict(example)
        if "symbol" in row:
            symbol = str(row.pop("symbol"))
            row = {"symbol": symbol_cell(symbol), "name": names.get(symbol, ""), **row}
        row |= {name: _(BASES[value]) for name, value in row.items() if isinstance(value, str) and value in BASES}
        rows.append(row)
    columns = {name: st.column_config.Column(_(COLUMNS.get(name, name))) for row in rows for name in row}
    columns |= {"symbol": symbol_column(), "name": st.column_config.TextColumn(_("Name"))}
    if any("move" in row for row in rows):
        columns["move"] = st.column_config.NumberColumn(_("Move"), format="percent")
    st.dataframe(
        rows,
        key="examples",
        hide_index=True,
        height="content",
        placeholder=fmt.DASH,
        column_config=columns,
    )
    if one["count"] > EXAMPLES:
        st.caption(_("{count} of {total} are shown.").format(count=len(rows), total=fmt.count(one["count"])))


def finding_words(dataset: str, check: str) -> str:
    """A kind of finding in words."""
    return f"{_(CHECKS.get(check, check))} · {_(DATASETS.get(dataset, dataset))}"


def _scores(snapshot: Snapshot, report: Mapping[str, Any]) -> None:
    st.subheader(_("Score by symbol"), anchor=False)
    if not knows_symbols(report):
        st.caption(_("This snapshot was written by an earlier version; scores come with the next one."))
        return
    st.caption(
        _(
            "100 less points for each kind of finding, more for what can move a result (a jump or a wrong unit 30) "
            "than for what is only noted (a late report 2). Symbols without findings have 100 and are not listed."
        )
    )
    found = lookups.scores(snapshot)
    text = st.text_input(_("Symbol or name"), key="score_text", icon=":material/search:").strip().lower()
    names = lookups.names(snapshot)
    matching = [one for one in found if text in f"{one.symbol} {names.get(one.symbol, '')}".lower()]
    scores_table(matching[:_SHOWN], names, key="scores")
    told = _("{count} symbols with findings").format(count=fmt.count(len(found)))
    if len(matching) > _SHOWN:
        told += " · " + _("the lowest {count} are shown").format(count=fmt.count(_SHOWN))
    st.caption(told)


def _what(one: SymbolFindings) -> str:
    """Each kind of finding with its count, and where: the same one is often in several datasets."""
    checks: dict[str, list[tuple[str, int]]] = {}
    for (dataset, check), count in sorted(one.findings.items(), key=lambda item: -item[1]):
        checks.setdefault(check, []).append((_(SHORT.get(dataset, dataset)), count))
    return "; ".join(
        f"{_(CHECKS.get(check, check))} {', '.join(f'{name} {fmt.count(count)}' for name, count in places)}"
        for check, places in checks.items()
    )


def scores_table(found: Sequence[SymbolFindings], names: Mapping[str, str], *, key: str) -> None:
    """Symbols with their name, score and what was found, in the given order."""
    st.dataframe(
        [
            {
                "symbol": symbol_cell(one.symbol),
                "name": names.get(one.symbol, ""),
                "score": one.score,
                "count": one.count,
                "what": _what(one),
            }
            for one in found
        ],
        key=key,
        hide_index=True,
        height="content" if len(found) <= 12 else 440,
        column_config={
            "symbol": symbol_column(),
            "name": st.column_config.TextColumn(_("Name"), width="small"),
            "score": st.column_config.ProgressColumn(
                _("Score"), format="%d", min_value=0, max_value=100, width="small"
            ),
            "count": st.column_config.NumberColumn(_("Findings"), format="localized", width="small"),
            "what": st.column_config.TextColumn(_("What was found"), width="large"),
        },
    )
