"""What the market store holds, and how old it is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from stocklab.data.store import Store

__all__ = ["status"]

_KOREA = ZoneInfo("Asia/Seoul")


def status(store: Store, *, today: date | None = None) -> dict[str, Any]:
    """State of the store, JSON-ready.

    Parameters
    ----------
    today : date, optional
        The day ages are counted from; default: today in Korea.

    Returns
    -------
    ``home``, ``snapshot`` (None in an empty home, and then nothing else), ``created``, ``synthetic``, ``content_hash``,
    ``age_days`` (of the newest bar), ``datasets`` (name -> source, rows, files, size_bytes, first_session,
    last_session, age_days, checksum), ``symbols_by_market``, ``quality`` (check -> count), ``snapshots`` and
    ``panels`` kept on disk.

    Raises
    ------
    StoreError
        The current snapshot is damaged.
    """
    current = store.current()
    if current is None:
        return {"home": str(store.home), "snapshot": None}
    now = today if today is not None else datetime.now(_KOREA).date()
    datasets = {}
    for name, entry in current.manifest.datasets.items():
        datasets[name] = {
            "source": entry.source,
            "rows": entry.rows,
            "files": len(entry.files),
            "size_bytes": sum(file.size_bytes for file in entry.files),
            "first_session": _text(entry.first_session),
            "last_session": _text(entry.last_session),
            "age_days": (now - entry.last_session).days if entry.last_session else None,
            "checksum": entry.checksum,
        }
    ages = [entry["age_days"] for name, entry in datasets.items() if name.startswith("prices_")]
    return {
        "home": str(store.home),
        "snapshot": current.id,
        "created": current.manifest.created_utc.isoformat(timespec="seconds"),
        "synthetic": current.synthetic,
        "content_hash": current.manifest.content_hash,
        "age_days": min((age for age in ages if isinstance(age, int)), default=None),
        "datasets": datasets,
        "symbols_by_market": dict(current.manifest.symbols_by_market),
        "quality": dict(current.manifest.quality),
        "snapshots": sorted(path.name for path in store.snapshots.iterdir() if not path.name.startswith(".")),
        "panels": sorted(path.name for path in store.panels.glob("[!.]*")),
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
