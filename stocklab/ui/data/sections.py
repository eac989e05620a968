"""The sections of the data page; only the chosen one is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stocklab.ui import navigation
from stocklab.ui.data.coverage_section import coverage_section
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.quality_section import quality_section
from stocklab.ui.data.sources_section import sources_section
from stocklab.ui.data.store_section import how_to_import, store_section
from stocklab.ui.text import _

__all__ = ["sections"]


def sections(desk: Desk, state: Mapping[str, Any]) -> None:
    """The switch and the section chosen; without data there are the sources and the import."""
    names = {"sources": _("Sources")}
    if desk.snapshot is not None:
        names |= {"coverage": _("Coverage"), "quality": _("Data quality"), "store": _("Stored data")}
    names["import"] = _("Import")
    chosen = navigation.choice_in_url("section", names, _("Section"), default="sources", key="data_section")
    match chosen:
        case "coverage":
            coverage_section(desk)
        case "quality":
            quality_section(desk)
        case "store":
            store_section(desk, state)
        case "import":
            how_to_import()
        case _:
            sources_section(desk)
