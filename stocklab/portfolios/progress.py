"""What a page sees of a job: its state, its place in the queue and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self

import numpy as np

from stocklab.backtest.result import Progress
from stocklab.db import JobState
from stocklab.portfolios.orders import Order

__all__ = ["MAX_CURVE_POINTS", "JobProgress", "JobView"]

MAX_CURVE_POINTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """Where a running job is, small enough to send to a browser twice a second.

    ``done`` is a fraction of the whole run. ``equity_krw`` is the curve so far with at most 500 points;
    ``offsets`` are their sessions, counted from the first session of the run (index ``first_session`` of the panel).
    A sweep counts its ``variants`` and those ``variants_done``; ``best`` is its best objective so far.
    """

    stage: str = "queued"
    done: float = 0.0
    session: date | None = None
    buys: int = 0
    sells: int = 0
    total_return: float = 0.0
    max_drawdown: float = 0.0
    first_session: int = 0
    offsets: tuple[int, ...] = ()
    equity_krw: tuple[float, ...] = ()
    variants_done: int = 0
    variants: int = 0
    best: float | None = None

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """The engine's progress with its curve thinned; the first and the last point always stay."""
        curve = np.empty(0) if progress.equity_krw is None else np.asarray(progress.equity_krw, dtype=np.float64)
        n_points = min(curve.size, MAX_CURVE_POINTS)
        picked = (
            np.linspace(0, curve.size - 1, n_points).round().astype(np.int64) if n_points else np.empty(0, np.int64)
        )
        return cls(
            stage=progress.stage,
            done=float(min(max(progress.done, 0.0), 1.0)),
            session=progress.session,
            buys=int(progress.buys),
            sells=int(progress.sells),
            total_return=float(np.nan_to_num(progress.total_return)),
            max_drawdown=float(np.nan_to_num(progress.max_drawdown)),
            first_session=int(progress.first_session),
            offsets=tuple(picked.tolist()),
            equity_krw=tuple(np.nan_to_num(curve[picked]).tolist()),
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``from_json`` gives an equal value."""
        stored = asdict(self)
        stored["session"] = None if self.session is None else self.session.isoformat()
        stored["offsets"] = list(self.offsets)
        stored["equity_krw"] = list(self.equity_krw)
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Self:
        """The progress that ``to_json`` wrote; None is the progress of a job that has not begun."""
        if stored is None:
            return cls()
        values = dict(stored)
        values["session"] = None if values["session"] is None else date.fromisoformat(values["session"])
        values["offsets"] = tuple(values["offsets"])
        values["equity_krw"] = tuple(values["equity_krw"])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as its owner sees it.

    ``place`` counts from 1 while the job waits, else None. ``run_id`` is set when COMPLETED. ``error_code`` is the
    error's class in snake case, "internal" for a fault of the program (the message then carries a reference that the
    log also has), or "process_ended" when LOST.
    """

    id: str
    owner_id: str
    kind: str
    state: JobState
    order: Order
    place: int | None
    progress: JobProgress
    run_id: str | None
    cached: bool
    cancel_requested: bool
    error_code: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def live(self) -> bool:
        """Whether the job may still change: a page polls while this is true."""
        return self.state.live

    @property
    def seconds(self) -> float | None:
        """Seconds from start to end; None before the end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
