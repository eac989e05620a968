"""What the jobs of the timetable and the intents do."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from stocklab.alerts import forget_old_alerts
from stocklab.community import forget_old_windows
from stocklab.data.importing import import_paths
from stocklab.data.results import ResultStore
from stocklab.data.status import status
from stocklab.data.store import Store
from stocklab.errors import Cancelled
from stocklab.operations import SCHEDULES, Intents
from stocklab.operations.backup import BackupReport, BackupScope, backup_name, make_backup, remove_old
from stocklab.operations.follow_up import NO_MARKET
from stocklab.operations.intents import upload_path
from stocklab.operations.tidying import forget_old
from stocklab.portfolios import Runs, Strategies
from stocklab.portfolios.ahead import run_presets_ahead, warm_saved
from stocklab.ranking import mark_publications
from stocklab.research.sweep_store import SweepStore
from stocklab.sidecar.alert_jobs import filing_rules_work, rules_work
from stocklab.sidecar.key_job import key_work
from stocklab.sidecar.news_job import disclosures_work, news_work
from stocklab.sidecar.note_job import evening_notes_work, notes_work
from stocklab.sidecar.sync_job import sync_work
from stocklab.sidecar.work import Job, JobContext, NothingToDo, Work

__all__ = ["INTENT_WORKS", "JOBS"]

_UPLOADS_STAY: Final = timedelta(days=2)


def _home(context: JobContext) -> Path:
    return Path(context.settings.home)


def _store(context: JobContext) -> Store:
    store = Store(_home(context))
    if store.current() is None:
        raise NothingToDo(NO_MARKET)
    return store


def _quality(context: JobContext) -> str:
    """What the report of the newest snapshot says, and how old the data are."""
    found = status(_store(context), today=context.clock().date())
    counts = {name: count for name, count in sorted(found["quality"].items()) if count}
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "no findings"
    return f"Snapshot {found['snapshot']}, newest bar {found['age_days']} days old: {listed}."


def _warm_factors(context: JobContext) -> str:
    settings = context.settings
    warmed = warm_saved(
        _store(context),
        Strategies(context.database).each(),
        threads=max(1, settings.engine_threads - 1),  # nobody waits for it: pages keep a core
        factor_cache_mb=settings.factor_cache_mb,
        on_progress=context.tell,
        should_cancel=context.stop,
    )
    return warmed.describe("strategies warmed")


def _presets(context: JobContext) -> str:
    settings = context.settings
    ran = run_presets_ahead(
        _store(context),
        ResultStore(_home(context)),
        threads=max(1, settings.engine_threads - 1),
        factor_cache_mb=settings.factor_cache_mb,
        on_progress=context.tell,
        should_cancel=context.stop,
    )
    return ran.describe("presets ready")


def _publications(context: JobContext) -> str:
    settings = context.settings
    done = mark_publications(
        context.database,
        _store(context),
        ResultStore(_home(context)),
        threads=max(1, settings.engine_threads - 1),
        factor_cache_mb=settings.factor_cache_mb,
        on_progress=context.tell,
        should_cancel=context.stop,
    )
    return done.describe()


def _described(report: BackupReport) -> str:
    return f"{report.path.name}: {report.files:,} files, {report.size_bytes / 1e6:,.1f} MB."


def _backup(context: JobContext) -> str:
    """The nightly one; a repeated attempt for the same day writes another file, and the oldest go."""
    folder = _home(context) / "backups"
    target = folder / backup_name(context.clock(), automatic=True)
    if target.exists():
        return f"{target.name} is there."
    report = make_backup(
        _home(context),
        context.database,
        target,
        scope=BackupScope.NIGHTLY,
        should_cancel=context.stop,
        on_progress=context.tell,
    )
    gone = remove_old(folder, context.settings.backup_keep)
    return f"{_described(report)} {len(gone)} old ones removed."


def _backup_now(context: JobContext) -> str:
    """A person's own: with market data, and never removed by the program."""
    target = _home(context) / "backups" / backup_name(context.clock(), automatic=False)
    return _described(
        make_backup(_home(context), context.database, target, should_cancel=context.stop, on_progress=context.tell)
    )


def _collect_garbage(context: JobContext) -> str:
    settings, home = context.settings, _home(context)
    snapshots = Store(home).collect_garbage(settings.snapshot_grace_hours)
    kept = Runs(context.database).kept_ids()
    results = ResultStore(home).shrink(settings.result_cache_mb * 1_000_000, kept)
    sweeps = SweepStore(home).shrink(settings.sweep_cache_mb * 1_000_000)
    now = context.clock()
    rows = forget_old(context.database, now) + forget_old_windows(context.database, now)
    rows += forget_old_alerts(context.database, now)
    uploads = _remove_uploads(context)
    return (
        f"Removed {len(snapshots)} snapshots, {results} results, {sweeps} sweeps, {uploads} uploads, "
        f"{rows} old records."
    )


def _import(context: JobContext) -> str:
    """Import an uploaded file or folder. The upload stays until it is collected, so that a second attempt finds it."""

    def on_progress(text: str) -> None:
        if context.stop():
            raise Cancelled("The import was stopped; the store is unchanged.")
        context.tell(0.0, text)

    report = import_paths(
        Store(_home(context)),
        [upload_path(_home(context), context.document["path"])],
        replace=bool(context.document.get("replace", False)),
        grace_hours=context.settings.snapshot_grace_hours,
        on_progress=on_progress,
    )
    return report.describe()


def _remove_uploads(context: JobContext) -> int:
    """Remove uploads of two days ago that no import waits for."""
    uploads = _home(context) / "uploads"
    live = [one.document.get("path", "") for one in Intents(context.database).list(live=True) if one.kind == "import"]
    needed = {Path(path).parts[0] for path in live if path}
    limit = time.time() - _UPLOADS_STAY.total_seconds()
    removed = 0
    for path in uploads.glob("*"):
        if path.name not in needed and path.stat().st_mtime < limit:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed += 1
    return removed


_WORKS: Final[Mapping[str, Work]] = MappingProxyType(
    {
        "disclosures": disclosures_work,
        "disclosures_morning": disclosures_work,
        "daily_notes": notes_work,
        "daily_notes_evening": evening_notes_work,
        "sync": sync_work,
        "sync_morning": sync_work,
        "quality": _quality,
        "alert_rules": rules_work,
        "alert_rules_morning": rules_work,
        "alert_filings": filing_rules_work,
        "alert_filings_morning": filing_rules_work,
        "warm_factors": _warm_factors,
        "presets": _presets,
        "publications": _publications,
        "backup": _backup,
        "collect_garbage": _collect_garbage,
    }
)

JOBS: Final = tuple(Job(schedule=schedule, work=_WORKS[schedule.name]) for schedule in SCHEDULES)
"""The timetable with its work."""

INTENT_WORKS: Final[Mapping[str, Work]] = MappingProxyType(
    {
        "sync_now": sync_work,
        "import": _import,
        "news": news_work,
        "try_key": key_work,
        "backup_now": _backup_now,
        "collect_garbage": _collect_garbage,
    }
)
"""The work of each kind of intent."""
