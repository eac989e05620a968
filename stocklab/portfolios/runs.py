"""Finished runs in an owner's list."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from stocklab.backtest.result import RunRequest
from stocklab.db import Database, RunRow, StrategyRow
from stocklab.db.columns import utc_now
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.market.panel import PriceBasis
from stocklab.strategy import fingerprint

__all__ = ["HEADLINE_METRICS", "RunNotFound", "RunView", "Runs", "view_of_run"]

HEADLINE_METRICS = (
    "total_return",
    "cagr",
    "volatility",
    "max_drawdown",
    "sharpe",
    "sortino",
    "calmar",
    "win_rate",
    "profit_factor",
    "turnover",
    "n_trades",
)


class RunNotFound(InputError):
    """The owner has no such run."""

    exit_code = 1

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(f"There is no run {run_id!r} in this list. Hint: `my runs` shows what there is.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A finished run: what a list shows. ``metrics`` holds the headline figures; None where one is not defined."""

    run_id: str
    owner_id: str
    strategy_id: str | None
    name: str
    fingerprint: str | None
    start: date
    end: date
    initial_cash_krw: int
    price_basis: PriceBasis
    synthetic: bool
    snapshot_id: str
    metrics: Mapping[str, float | None]
    is_portfolio: bool
    created_at: datetime


class Runs:
    """The list of runs, by owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self,
        owner_id: str,
        run_id: str,
        request: RunRequest,
        *,
        card: Mapping[str, Any],
        metrics: Mapping[str, Any],
        strategy_id: str | None = None,
    ) -> RunView:
        """Put a finished run on top of the list; a run that is there already moves up and keeps its marks."""
        values = {
            "name": request.strategy.name,
            "fingerprint": fingerprint(request.strategy),
            "start_on": request.start,
            "end_on": request.end,
            "initial_cash_krw": request.initial_cash_krw,
            "price_basis": str(card["price_basis"]),
            "synthetic": bool(card["synthetic"]),
            "snapshot_id": str(card["snapshot_id"]),
            "metrics": _headline(metrics),
            "created_at": utc_now(),
        }
        with self._database.write(owner_id) as session:
            row = _find(session, owner_id, run_id)
            if row is None:
                row = RunRow(id=uuid.uuid4().hex, owner_id=owner_id, run_id=run_id, is_portfolio=False, **values)
                session.add(row)
            else:
                for name, value in values.items():
                    setattr(row, name, value)
            if strategy_id is not None and _owns(session, owner_id, strategy_id):
                row.strategy_id = strategy_id
            session.flush()
            return view_of_run(row)

    def list(
        self,
        owner_id: str,
        *,
        search: str = "",
        sort: Literal["created", "name", "total_return", "max_drawdown", "sharpe"] = "created",
        strategy_id: str | None = None,
        portfolios_only: bool = False,
        limit: int = 200,
    ) -> list[RunView]:
        """Newest first, or by name, or the best figure first (undefined figures last). `page` shows them all."""
        statement = select(RunRow).where(RunRow.owner_id == owner_id)
        if search.strip():
            statement = statement.where(RunRow.name.icontains(search.strip(), autoescape=True))
        if strategy_id is not None:
            statement = statement.where(RunRow.strategy_id == strategy_id)
        if portfolios_only:
            statement = statement.where(RunRow.is_portfolio)
        order: ColumnElement[Any] = RunRow.created_at.desc()
        if sort == "name":
            order = func.lower(RunRow.name)
        elif sort != "created":
            order = RunRow.metrics[sort].as_float().desc().nulls_last()
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(order, RunRow.created_at.desc()).limit(limit))
            return [view_of_run(row) for row in rows]

    def page(self, owner_id: str, *, after: str | None = None) -> Page[RunView]:
        """Twenty runs, newest first; ``after`` is that of the page before.

        Raises
        ------
        InputError
            The place is not one of this list.
        """
        conditions = (RunRow.owner_id == owner_id, *beyond(after, RunRow.created_at, RunRow.id, datetime.fromisoformat))
        statement = select(RunRow).where(*conditions).order_by(RunRow.created_at.desc(), RunRow.id.desc())
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.limit(PAGE_SIZE + 1)).all()
            return page_of(rows, view_of_run, lambda row: (row.created_at.isoformat(), row.id))

    def get(self, owner_id: str, run_id: str) -> RunView:
        """One run of the owner.

        Raises
        ------
        RunNotFound
            The owner has none of that id.
        """
        with self._database.read(owner_id) as session:
            return view_of_run(_require(session, owner_id, run_id))

    def set_portfolio(self, owner_id: str, run_id: str, is_portfolio: bool) -> RunView:
        """Keep a run as a portfolio, or let it go; kept results are never removed to make room."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, run_id)
            row.is_portfolio = is_portfolio
            return view_of_run(row)

    def delete(self, owner_id: str, run_id: str) -> None:
        """Take a run off the list; its stored result stays until room is needed, as others may list it too."""
        with self._database.write(owner_id) as session:
            session.delete(_require(session, owner_id, run_id))

    def kept_ids(self) -> frozenset[str]:
        """Run ids of all portfolios, of all owners."""
        with self._database.read() as session:
            return frozenset(session.scalars(select(RunRow.run_id).where(RunRow.is_portfolio)))

    def count(self) -> int:
        """Runs in all lists."""
        with self._database.read() as session:
            return int(session.scalar(select(func.count()).select_from(RunRow)) or 0)

    def clear(self, owner_id: str) -> int:
        """Take every run that is no portfolio off the list; returns how many."""
        with self._database.write(owner_id) as session:
            gone = session.execute(
                delete(RunRow).where(RunRow.owner_id == owner_id, RunRow.is_portfolio.is_(False)).returning(RunRow.id)
            )
            return len(gone.all())


def _headline(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures a list shows; NaN and infinity are not JSON, so they become None."""
    found: dict[str, float | None] = {}
    for name in HEADLINE_METRICS:
        value = metrics.get(name)
        usable = isinstance(value, int | float) and math.isfinite(value)
        found[name] = value if usable else None
    return found


def _find(session: Session, owner_id: str, run_id: str) -> RunRow | None:
    return session.scalar(select(RunRow).where(RunRow.owner_id == owner_id, RunRow.run_id == run_id))


def _require(session: Session, owner_id: str, run_id: str) -> RunRow:
    row = _find(session, owner_id, run_id)
    if row is None:
        raise RunNotFound(run_id)
    return row


def _owns(session: Session, owner_id: str, strategy_id: str) -> bool:
    row = session.get(StrategyRow, strategy_id)
    return row is not None and row.owner_id == owner_id


def view_of_run(row: RunRow) -> RunView:
    """The run of a row."""
    return RunView(
        run_id=row.run_id,
        owner_id=row.owner_id,
        strategy_id=row.strategy_id,
        name=row.name,
        fingerprint=row.fingerprint,
        start=row.start_on,
        end=row.end_on,
        initial_cash_krw=row.initial_cash_krw,
        price_basis=PriceBasis(row.price_basis),
        synthetic=row.synthetic,
        snapshot_id=row.snapshot_id,
        metrics=row.metrics,
        is_portfolio=row.is_portfolio,
        created_at=row.created_at,
    )
