"""What errors about strategies, runs and publications are called in the user's language: each says it whole."""

from __future__ import annotations

from typing import Final

from stocklab.errors import StockLabError
from stocklab.portfolios import (
    RunNotFound,
    StrategyConflict,
    StrategyNotFound,
    UniverseNameTaken,
    UniverseNotFound,
)
from stocklab.sharing import CloneRefused, NothingToShow, PublicationNotFound
from stocklab.ui.mark import N_

__all__ = ["PEOPLE_FAULTS"]

PEOPLE_FAULTS: Final[tuple[tuple[type[StockLabError], str], ...]] = (
    (PublicationNotFound, N_("There is no such shared strategy: it was hidden, or the link is wrong.")),
    (NothingToShow, N_("This version has no finished run to show. Open it in the builder and run it first.")),
    (CloneRefused, N_("This strategy cannot be cloned: its rules are hidden or gone.")),
    (StrategyConflict, N_("This strategy was saved elsewhere meanwhile. Save yours as a copy, or load it anew.")),
    (StrategyNotFound, N_("There is no such strategy among yours: it was deleted, or the link is wrong.")),
    (RunNotFound, N_("There is no such run among yours: it was removed, or the link is wrong.")),
    (UniverseNotFound, N_("There is no such universe among yours: it was deleted.")),
    (UniverseNameTaken, N_("You have a universe of this name. Choose another name, or replace that one.")),
)
