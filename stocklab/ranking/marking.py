"""What published strategies made since: each session they are run from the day of publication, and marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from stocklab.backtest import RunRequest, ShouldCancel
from stocklab.backtest.result import Result, in_floats
from stocklab.data.engine import run_on_panel
from stocklab.data.panel_open import basis_for, open_panel
from stocklab.data.results import ResultStore
from stocklab.data.sources.calls import KST
from stocklab.data.store import Store
from stocklab.db import Database, PublicationMarkRow, PublicationRow, SealedRulesRow
from stocklab.errors import Cancelled, StockLabError
from stocklab.ranking.places import put
from stocklab.ranking.standing import after_publication_entry
from stocklab.sharing import MARK_CAPITAL_KRW
from stocklab.strategy import Strategy, parse_document

__all__ = ["Marking", "mark_publications"]

log = structlog.get_logger(__name__)
_NAMED: Final = 5
OnMark = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """What one round did.

    Attributes
    ----------
    marked : int
        Publications that have a mark of the last session now.
    waiting : int
        No session since publication, or another kind of market (real or invented) is loaded.
    failed : id of publication -> why
    """

    marked: int
    waiting: int
    failed: Mapping[str, str]

    @property
    def failure_rate(self) -> float:
        """Failed ones as a fraction of those that were to be marked; 0 when there were none."""
        due = self.marked + len(self.failed)
        return len(self.failed) / due if due else 0.0

    def describe(self) -> str:
        """One line.

        >>> Marking(marked=3, waiting=1, failed={"ab": "no data"}).describe()
        '3 publications marked, 1 waiting, 1 failed (25.0 %): ab: no data'
        """
        text = f"{self.marked:,} publications marked, {self.waiting:,} waiting, {len(self.failed):,} failed"
        if not self.failed:
            return f"{text}."
        shown = "; ".join(f"{name}: {why[:120]}" for name, why in list(self.failed.items())[:_NAMED])
        return f"{text} ({100 * self.failure_rate:.1f} %): {shown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Engine:
    """Where publications are, what they run on, and how."""

    database: Database
    store: Store
    results: ResultStore
    threads: int
    factor_cache_mb: int
    should_cancel: ShouldCancel


def mark_publications(
    database: Database,
    store: Store,
    results: ResultStore,
    *,
    threads: int,
    factor_cache_mb: int,
    on_progress: OnMark = lambda _done, _name: None,
    should_cancel: ShouldCancel = lambda: False,
) -> Marking:
    """Run every living publication from its day to the last session, with `MARK_CAPITAL_KRW`, and keep the closes.

    A mark that is kept is never changed; sessions that were missed are caught up. May be repeated at will.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so; the marks made so far stay.
    """
    with database.read() as session:
        alive = select(PublicationRow.id, PublicationRow.name).where(
            PublicationRow.withdrawn_at.is_(None), PublicationRow.hidden_at.is_(None)
        )
        found = session.execute(alive.order_by(PublicationRow.id)).all()
    engine = _Engine(
        database=database,
        store=store,
        results=results,
        threads=threads,
        factor_cache_mb=factor_cache_mb,
        should_cancel=should_cancel,
    )
    marked, waiting, failed = 0, 0, {}
    for place, (publication_id, name) in enumerate(found):
        if should_cancel():
            raise Cancelled("Marking was stopped; what was marked stays.")
        on_progress(place / len(found), name)
        try:
            done = _mark(engine, publication_id)
        except Cancelled:
            raise
        except StockLabError as error:  # one that these data cannot run holds nobody up
            failed[publication_id] = str(error)
            log.warning("publication_not_marked", publication=publication_id, error=type(error).__name__)
            continue
        marked, waiting = marked + done, waiting + (not done)
    return Marking(marked=marked, waiting=waiting, failed=failed)


def _mark(engine: _Engine, publication_id: str) -> bool:
    """Whether there is a mark of the last session now."""
    with engine.database.read() as session:
        row = session.get(PublicationRow, publication_id)
        if row is None:
            return False
        strategy, newest = _rules(session, row), _newest_mark(session, publication_id)
    start = row.published_at.astimezone(KST).date()
    panel = open_panel(
        engine.store, basis=basis_for(strategy.universe, None), start=start, statements=strategy.statements
    )
    last: date = panel.sessions[-1].item()
    if panel.synthetic != row.synthetic or last < start:
        return False
    if newest is not None and newest >= last:
        return True
    request = RunRequest(strategy=strategy, start=start, end=last, initial_cash_krw=MARK_CAPITAL_KRW)
    outcome = run_on_panel(
        panel,
        engine.results,
        request,
        home=engine.store.home,
        threads=engine.threads,
        should_cancel=engine.should_cancel,
        factor_cache_mb=engine.factor_cache_mb,
    )
    with engine.database.write() as session:
        _keep(session, publication_id, outcome.result)
    return True


def _rules(session: Session, row: PublicationRow) -> Strategy:
    document: Mapping[str, Any] | None = row.document
    if document is None:
        document = session.get_one(SealedRulesRow, row.id).document
    return parse_document(document)


def _newest_mark(session: Session, publication_id: str) -> date | None:
    newest = select(func.max(PublicationMarkRow.session)).where(PublicationMarkRow.publication_id == publication_id)
    found: date | None = session.scalar(newest)
    return found


def _keep(session: Session, publication_id: str, result: Result) -> None:
    """Add the closes that have no mark yet, and move the publication on its board; not if it went meanwhile."""
    row = session.get(PublicationRow, publication_id, with_for_update=True)
    if row is None or row.withdrawn_at is not None or row.hidden_at is not None:
        return
    newest = _newest_mark(session, publication_id)
    daily = in_floats(result.tables["daily"])
    closes = zip(daily["session"].to_list(), daily["equity_krw"].to_list(), strict=True)
    fresh = [
        {"publication_id": publication_id, "session": day, "equity": float(equity)}
        for day, equity in closes
        if newest is None or day > newest
    ]
    if fresh:
        session.execute(insert(PublicationMarkRow), fresh)
    marks = select(PublicationMarkRow.equity).where(PublicationMarkRow.publication_id == publication_id)
    equities = session.scalars(marks.order_by(PublicationMarkRow.session)).all()
    if row.visibility == "public" and len(equities) > 1:
        put(session, [after_publication_entry(row, equities, result.metrics.get("cost_per_year"))])
