"""What the data page reads: by snapshot, kept between runs; and what changes by itself, read anew each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from stocklab.caches import Group, remember
from stocklab.data.coverage_map import CoverageMap, StandingSource, coverage_map, standing_sources
from stocklab.data.disagreements import count_disagreements, newest_disagreements
from stocklab.data.freshness import Freshness, freshness_of
from stocklab.data.quality_scores import SymbolFindings, findings_by_symbol
from stocklab.data.snapshot import Snapshot
from stocklab.data.sources.calls import now_kst
from stocklab.data.sync.absorb import COVERAGE
from stocklab.operations import (
    DataWord,
    LastAnswer,
    SchedulerStatus,
    SourceLine,
    SyncEvent,
    data_word,
    last_answer,
    scheduler_status,
    source_board,
    sync_events,
)
from stocklab.operations.key_trials import KeyTrial, key_trials
from stocklab.ui import cached, charts
from stocklab.ui.data import figures
from stocklab.ui.text import Language, language

__all__ = [
    "Desk",
    "coverage",
    "coverage_figure",
    "desk",
    "differences",
    "names",
    "quality_report",
    "scores",
    "snapshot_report",
    "standing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the head of the page says: the snapshot, the sources, the syncs and the background process."""

    now: datetime
    snapshot: Snapshot | None
    fresh: Freshness | None
    sources: tuple[SourceLine, ...]
    events: tuple[SyncEvent, ...]
    answer: LastAnswer | None
    word: DataWord
    scheduler: SchedulerStatus
    trials: Mapping[str, KeyTrial]

    @property
    def keyed(self) -> bool:
        """Whether a source of market data that needs a key has one."""
        return any(one.market and one.source.keys for one in self.sources)

    @property
    def syncable(self) -> bool:
        """Whether a sync can be offered; coins alone would take the place of a demo market."""
        return self.keyed or (not self.synthetic and any(one.market for one in self.sources))

    @property
    def coins(self) -> bool:
        """Whether syncs fetch coins, which need no key."""
        return any(one.on and not one.source.keys for one in self.sources)

    @property
    def synthetic(self) -> bool:
        """Whether the market is the demo's."""
        return self.snapshot is not None and self.snapshot.synthetic


def desk(now: datetime | None = None) -> Desk:
    """Read the state of the data, the sources and the syncs.

    Raises
    ------
    StoreError
        The current snapshot is damaged.
    SettingsError
        The secret of the stored keys cannot be used.
    """
    lab, at = cached.lab(), now_kst() if now is None else now
    snapshot = lab.store.current()
    fresh = None if snapshot is None else freshness_of(snapshot, at)
    sources = source_board(lab.settings, lab.source_keys().names(), lab.database, at)
    events, answer = sync_events(lab.database), last_answer(sources)
    scheduler = scheduler_status(lab.database, at)
    asked = answer is not None or (snapshot is not None and snapshot.has(COVERAGE))
    return Desk(
        now=at,
        snapshot=snapshot,
        fresh=fresh,
        sources=sources,
        events=events,
        answer=answer,
        word=data_word(
            snapshot=snapshot is not None,
            synthetic=snapshot is not None and snapshot.synthetic,
            fresh=fresh,
            sources=sources,
            events=events,
            ever_asked=asked,
        ),
        scheduler=scheduler,
        trials=key_trials(lab.intents, sources, scheduler.leader),
    )


@remember("data_coverage", Group.MARKET, 3, of_market=True)
def _coverage(home: str, snapshot_id: str, until: date) -> CoverageMap:
    return coverage_map(cached.lab().store.snapshot(snapshot_id), until)


def coverage(snapshot: Snapshot, until: date) -> CoverageMap:
    """Sessions and symbols by year and dataset; ``until`` is the newest session that has ended."""
    return _coverage(str(cached.lab().store.home), snapshot.id, until)


@remember("data_coverage_figure", Group.MARKET, 6, of_market=True)
def _coverage_figure(home: str, snapshot_id: str, until: date, spoken: Language) -> charts.ReadyFigure:
    return charts.ReadyFigure(figures.coverage_heatmap(_coverage(home, snapshot_id, until)))


def coverage_figure(snapshot: Snapshot, until: date) -> charts.ReadyFigure:
    """The heat map in the session's language."""
    return _coverage_figure(str(cached.lab().store.home), snapshot.id, until, language())


@remember("data_standing", Group.MARKET, 3, of_market=True)
def _standing(home: str, snapshot_id: str) -> tuple[StandingSource, ...]:
    return standing_sources(cached.lab().store.snapshot(snapshot_id))


def standing(snapshot: Snapshot) -> tuple[StandingSource, ...]:
    """Whose raw bars stand."""
    return _standing(str(cached.lab().store.home), snapshot.id)


@remember("data_differences", Group.MARKET, 3, of_market=True)
def _differences(home: str, snapshot_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    found = cached.lab().store.snapshot(snapshot_id)
    return count_disagreements(found), newest_disagreements(found)


def differences(snapshot: Snapshot) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Counts of values on which sources differ, and the newest of them."""
    return _differences(str(cached.lab().store.home), snapshot.id)


@remember("data_report", Group.MARKET, 4, of_market=True)
def _report(home: str, snapshot_id: str) -> Mapping[str, Any]:
    return cached.lab().store.snapshot(snapshot_id).quality()


def quality_report(snapshot: Snapshot) -> Mapping[str, Any]:
    """The whole quality report of a snapshot."""
    return _report(str(cached.lab().store.home), snapshot.id)


def snapshot_report(snapshot_id: str) -> Mapping[str, Any]:
    """The quality report of a snapshot by its id.

    Raises
    ------
    StoreError
        It is not stored any more, or damaged; the failure is not kept.
    """
    return _report(str(cached.lab().store.home), snapshot_id)


@remember("data_names", Group.MARKET, 3, of_market=True)
def _names(home: str, snapshot_id: str) -> Mapping[str, str]:
    found = cached.lab().store.snapshot(snapshot_id)
    if not found.has("instruments"):
        return {}
    return dict(found.scan("instruments").select("symbol", "name").collect().iter_rows())


def names(snapshot: Snapshot) -> Mapping[str, str]:
    """Symbol -> name, from the list of issues alone: the panel of a new snapshot may not be built yet."""
    return _names(str(cached.lab().store.home), snapshot.id)


@remember("data_scores", Group.MARKET, 3, of_market=True)
def _scores(home: str, snapshot_id: str) -> tuple[SymbolFindings, ...]:
    return findings_by_symbol(_report(home, snapshot_id))


def scores(snapshot: Snapshot) -> tuple[SymbolFindings, ...]:
    """Every symbol with findings, the lowest score first."""
    return _scores(str(cached.lab().store.home), snapshot.id)
