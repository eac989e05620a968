"""One sync: ask every feed for what is missing, the newest first, and store the answers in few snapshots.

It can be stopped, killed and started again at any moment: answers are kept as they come, a snapshot is whole or not
there, and a key that has no answer for good is asked again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

import structlog

from stocklab.data.datasets import PRICES_RAW
from stocklab.data.lock import WriterLock
from stocklab.data.observed import WHOLE_MARKET
from stocklab.data.panel_build import build_panel, dataset_of
from stocklab.data.sources.calls import CallLedger, now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Feed, Window, session_of
from stocklab.data.store import Store
from stocklab.data.sync.absorb import Absorbed, absorb, coverage_of, real_snapshot, rows_answered
from stocklab.data.sync.inbox import Inbox, checksum_of
from stocklab.data.sync.report import FeedOutcome, FeedReport, OnSyncProgress, SyncProgress, SyncReport
from stocklab.data.sync.window import window_at
from stocklab.errors import (
    Cancelled,
    SourceBlocked,
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceExhausted,
    SourceOff,
    StockLabError,
    StoreError,
)
from stocklab.market.calendar import confirmed_until, first_day, is_session, next_session, previous_session
from stocklab.market.panel import PriceBasis

__all__ = ["SyncOptions", "sync"]

log = structlog.get_logger(__name__)

_FAILURES_IN_A_ROW: Final = 3  # then the feed rests until the next sync
_MOST_GONE: Final = 5  # rows a correction may take away, or one in a hundred; more are a part of an answer
_TURN: Final = 20  # keys a feed may ask before the next one's turn
_ENDS: Final = (
    (SourceOff, FeedOutcome.OFF),
    (SourceDenied, FeedOutcome.DENIED),
    (SourceExhausted, FeedOutcome.EXHAUSTED),
    (SourceBlocked, FeedOutcome.BLOCKED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How far and how often.

    Attributes
    ----------
    history_from : date
        First session wanted.
    most_keys : int or None
        Keys asked at most, None for all; a small number gives an update between two long fills.
    first_store_after, store_after : int
        Answers after which the first and the later snapshots are written, so that a long fill is useful meanwhile.
    grace_hours : float
        Snapshots replaced longer ago than this are removed afterwards.
    ranks : tuple of str
        Names of all feeds there are, the most trusted first, also of those that are not asked: what a source that is
        off now answered before keeps its rank. Feeds that are not named come last, in the order they are given.
    """

    history_from: date
    most_keys: int | None = None
    first_store_after: int = 60
    store_after: int = 600
    grace_hours: float = 48.0
    ranks: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Turn:
    """A feed and the keys it still has to ask."""

    feed: Feed
    keys: list[str]  # last first
    report: FeedReport
    known: dict[str, str]
    rows: dict[str, int]  # of whole sessions stored before
    answered: set[str] = field(default_factory=set)  # with rows, in this sync
    tried: set[str] = field(default_factory=set)
    settled: bool = False  # its keys are not to be asked for again
    failures: int = 0
    closed: bool = False


@dataclass(slots=True, kw_only=True)
class _Run:
    store: Store
    inbox: Inbox
    options: SyncOptions
    order: tuple[str, ...]
    calls: CallLedger | None
    stop: threading.Event
    say: OnSyncProgress
    started: float
    window: Window
    wanted: int = 0
    asked: int = 0
    rows: int = 0
    waiting: int = 0  # answers kept and not stored
    done: Absorbed = field(default_factory=Absorbed)
    snapshots: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def sync(
    store: Store,
    feeds: Sequence[Feed],
    options: SyncOptions,
    *,
    clock: Callable[[], datetime] = now_kst,
    calls: CallLedger | None = None,
    stop: threading.Event | None = None,
    on_progress: OnSyncProgress | None = None,
) -> SyncReport:
    """Ask ``feeds`` for what the store lacks and write it.

    Parameters
    ----------
    feeds : the most trusted first
        Where two offer the same rows, the earlier one's stand (`owned_rows`).
    calls : CallLedger, optional
        Told of answers that made no sense: the client took them for good ones.
    stop : threading.Event, optional
        Set it to end: the answers so far are stored.

    Returns
    -------
    What happened. A source that fails is a line in the report, not an error: the others go on.

    Raises
    ------
    StoreError
        Another sync runs, somebody else writes for ten minutes, or the disk refuses; the current snapshot stays.
    """
    try:
        with WriterLock(Path(store.home) / "market" / "sync.lock").hold("sync"):
            run = _Run(
                store=store,
                inbox=Inbox(store.home),
                options=options,
                order=tuple(dict.fromkeys([*options.ranks, *(feed.name for feed in feeds)])),
                calls=calls,
                stop=threading.Event() if stop is None else stop,
                say=on_progress if on_progress is not None else _quiet,
                started=time.perf_counter(),
                window=window_at(clock(), options.history_from),
            )
            return _sync(run, feeds)
    except OSError as error:
        raise StoreError(
            f"The sync could not write below {store.home} ({error.strerror or error}); the current snapshot is "
            "unchanged. Hint: make room on that disk, then sync again."
        ) from error


def _sync(run: _Run, feeds: Sequence[Feed]) -> SyncReport:
    _store(run)  # what an earlier sync was told and could not write
    firsts, seconds = _by_rank(feeds, run.order)
    turns = [_turn(run, feed) for feed in firsts]
    _ask(run, turns)
    opinions = [_second_opinion(run, feed, turns) for feed in seconds]
    _ask(run, opinions)
    turns += opinions
    _store(run)
    _build_panels(run.store)
    _collect_garbage(run)
    report = SyncReport(
        snapshot_id=run.done.snapshot_id,
        snapshots=tuple(run.snapshots),
        feeds=tuple(turn.report for turn in turns),
        added=run.done.added,
        replaced=run.done.replaced,
        removed=run.done.removed,
        disagreements=run.done.disagreements,
        notes=tuple(dict.fromkeys(run.notes)),
        seconds=time.perf_counter() - run.started,
        cancelled=run.stop.is_set(),
    )
    log.info(
        "sync_done",
        snapshot=report.snapshot_id,
        snapshots=len(report.snapshots),
        asked=run.asked,
        rows=sum(report.added.values()),
        complete=report.complete,
        seconds=round(report.seconds, 3),
    )
    return report


def _by_rank(feeds: Sequence[Feed], order: Sequence[str]) -> tuple[list[Feed], list[Feed]]:
    """The feeds, and apart from them those whose bars a better one offers as well, asked now or not."""
    firsts: list[Feed] = []
    seconds: list[Feed] = []
    for feed in feeds:
        second = PRICES_RAW in feed.datasets and _better(feed, order)
        (seconds if second else firsts).append(feed)
    return firsts, seconds


def _better(feed: Feed, order: Sequence[str]) -> list[str]:
    """Names of the feeds that offer the same rows and are trusted more."""
    kind = feed.name.rpartition(".")[2]
    return [name for name in order[: order.index(feed.name)] if name.rpartition(".")[2] == kind]


def _turn(run: _Run, feed: Feed) -> _Turn:
    snapshot = real_snapshot(run.store)
    known = coverage_of(snapshot).get(feed.name, {})
    rows = rows_answered(snapshot, feed.name) if PRICES_RAW in feed.datasets else {}
    keys = list(dict.fromkeys(feed.wanted(known, run.window)))
    run.wanted += len(keys)
    report = FeedReport(feed=feed.name, source=feed.source, wanted=len(keys))
    return _Turn(feed=feed, keys=keys[::-1], report=report, known=known, rows=rows)


def _second_opinion(run: _Run, feed: Feed, firsts: Sequence[_Turn]) -> _Turn:
    """A source that is not the first choice: asked for sessions the first has no rows for, and for one as a check."""
    turn = _turn(run, feed)
    nothing = checksum_of({})
    stored = coverage_of(real_snapshot(run.store))
    now = {first.feed.name: first for first in firsts}
    answered: set[str] = set()
    for name in _better(feed, run.order):
        known = now[name].known if name in now else stored.get(name, {})
        answered.update(key for key, checksum in known.items() if checksum != nothing)
        answered.update(now[name].answered if name in now else ())
    keys = [key for key in turn.keys if key not in answered]
    shared = [key for key in turn.keys if key in answered and key not in turn.known]
    turn.keys = [*keys, *shared[-1:]]
    run.wanted -= turn.report.wanted - len(turn.keys)
    turn.report.wanted = len(turn.keys)
    turn.settled = True
    return turn


def _ask(run: _Run, turns: Sequence[_Turn]) -> None:
    """Feeds take turns, so that the newest of each comes before the oldest of any."""
    while not run.stop.is_set():
        open_turns = [turn for turn in turns if turn.keys and not turn.closed]
        if not open_turns:
            _learn(run, turns)
            if not any(turn.keys for turn in turns if not turn.closed):
                break
            continue
        for turn in open_turns:
            for _ in range(min(_TURN, len(turn.keys))):
                if run.stop.is_set() or turn.closed or _at_limit(run):
                    break
                _ask_one(run, turn)
                if run.waiting >= (run.options.store_after if run.snapshots else run.options.first_store_after):
                    _store(run)
        if _at_limit(run):
            break
    for turn in turns:
        if turn.report.outcome is FeedOutcome.DONE and (turn.report.left > 0 or turn.keys):
            turn.report.outcome = FeedOutcome.FAILED if turn.report.failed else FeedOutcome.LEFT


def _learn(run: _Run, turns: Sequence[_Turn]) -> None:
    """Keys that feeds know of by now: an answer may name what another feed should ask for (reports that arrived)."""
    if _at_limit(run):
        return
    for turn in turns:
        if turn.closed or turn.settled:
            continue
        keys = [key for key in dict.fromkeys(turn.feed.wanted(turn.known, run.window)) if key not in turn.tried]
        turn.keys = keys[::-1]
        turn.report.wanted += len(keys)
        run.wanted += len(keys)


def _at_limit(run: _Run) -> bool:
    return run.options.most_keys is not None and run.asked >= run.options.most_keys


def _ask_one(run: _Run, turn: _Turn) -> None:
    key = turn.keys.pop()
    turn.tried.add(key)
    _say(run, turn.feed.name)
    try:
        answer = _fetch(turn.feed, key)
        if answer.state is AnswerState.EMPTY and _must_have_traded(turn, key):
            answer = Answer(state=AnswerState.NOT_YET)
            turn.report.message = f"nothing for {key}, a session by the calendar; it is asked again"
        if answer.state is AnswerState.NOT_YET:
            _count(run, turn, answer)
            return
        if answer.state is AnswerState.EMPTY and turn.known.get(key) not in (None, checksum_of({})):
            raise _Vanished(turn.feed.source, f"{turn.feed.name} has no rows for {key} any more; the stored ones stay")
        _refuse_a_part(turn, key, answer)
        kept = run.inbox.keep(turn.feed.name, turn.feed.source, key, answer)
    except Cancelled:
        turn.keys.append(key)
        turn.tried.discard(key)
        run.stop.set()
        return
    except SourceError as error:
        _note_failure(turn, key, error)
        if run.calls is not None and isinstance(error, SourceChanged | _Vanished):
            run.calls.note(turn.feed.source, ok=False, message=str(error))
        run.asked += 1
        return
    turn.known[key] = kept.checksum
    run.rows += kept.rows
    run.waiting += 1
    if answer.note:
        run.notes.append(f"{turn.feed.name} {key}: {answer.note}")
    if answer.state is AnswerState.FINAL:
        turn.answered.add(key)
    _count(run, turn, answer)


def _fetch(feed: Feed, key: str) -> Answer:
    """Ask; an answer that breaks the code that reads it is that source's fault, and the others go on."""
    try:
        return feed.fetch(key)
    except StockLabError:
        raise
    except Exception as error:
        log.exception("answer_broke_its_reader", feed=feed.name, key=key)
        raise SourceChanged(feed.source, f"{feed.name} {key}: cannot be read ({type(error).__name__})") from error


def _count(run: _Run, turn: _Turn, answer: Answer) -> None:
    run.asked += 1
    turn.failures = 0
    turn.report.asked += 1
    if answer.state is AnswerState.FINAL:
        turn.report.final += 1
    elif answer.state is AnswerState.EMPTY:
        turn.report.empty += 1
    else:
        turn.report.not_yet += 1


def _must_have_traded(turn: _Turn, key: str) -> bool:
    """Whether an empty answer would be a hole: no bars of the whole market on a day the calendar is sure of.

    A single day between two that have rows is believed: the table is wrong there, as with a holiday decreed late.
    """
    if turn.feed.name not in WHOLE_MARKET:
        return False
    session = session_of(key)
    if not first_day() <= session <= confirmed_until() or not is_session(session):
        return False
    nothing = checksum_of({})
    beside = (previous_session(session), next_session(session, expected=True))
    return not all(str(day) in turn.answered or turn.known.get(str(day), nothing) != nothing for day in beside)


def _refuse_a_part(turn: _Turn, key: str, answer: Answer) -> None:
    """A correction takes away single rows; an answer without many that were there is cut, and would cut the store."""
    before, now = turn.rows.get(key, 0), sum(frame.height for frame in answer.frames.values())
    if answer.state is AnswerState.FINAL and before - now > max(_MOST_GONE, before // 100):
        raise _Vanished(
            turn.feed.source,
            f"{turn.feed.name} has {now:,} rows for {key}, before it had {before:,}; the stored ones stay",
        )


class _Vanished(SourceError):
    """Rows that were there before are not answered any more."""


def _note_failure(turn: _Turn, key: str, error: SourceError) -> None:
    report = turn.report
    report.message = str(error)
    for kind, outcome in _ENDS:
        if isinstance(error, kind):
            report.outcome, turn.closed = outcome, True
            log.warning("feed_closed", feed=turn.feed.name, outcome=outcome.value, reason=str(error))
            return
    report.asked += 1
    report.failed += 1
    turn.failures += 1
    log.warning("key_failed", feed=turn.feed.name, key=key, reason=str(error))
    if turn.failures >= _FAILURES_IN_A_ROW:
        report.outcome, turn.closed = FeedOutcome.FAILED, True


def _store(run: _Run) -> None:
    _say(run, "", storing=True)
    step = absorb(run.store, run.inbox, order=run.order)
    if step.answers and step.snapshot_id is not None and step.snapshot_id != run.done.snapshot_id:
        run.snapshots.append(step.snapshot_id)
    run.done.include(step)
    run.waiting = 0


def _build_panels(store: Store) -> None:
    """Of the last snapshot alone: a reader who opens one of a long fill's earlier ones builds its panel himself."""
    snapshot = real_snapshot(store)
    if snapshot is not None:
        for basis in PriceBasis:
            if snapshot.has(dataset_of(basis)):
                build_panel(store, snapshot, basis)


def _collect_garbage(run: _Run) -> None:
    """Old snapshots can wait: what was stored is not to look like a failure because somebody else writes just now."""
    try:
        run.store.collect_garbage(run.options.grace_hours)
    except StoreError as error:
        log.warning("garbage_waits", reason=str(error))


def _say(run: _Run, feed: str, *, storing: bool = False) -> None:
    seconds = time.perf_counter() - run.started
    left = seconds / run.asked * (run.wanted - run.asked) if run.asked >= _FAILURES_IN_A_ROW else None
    run.say(
        SyncProgress(
            feed=feed,
            asked=run.asked,
            wanted=run.wanted,
            rows=run.rows,
            seconds=seconds,
            seconds_left=left,
            storing=storing,
        )
    )


def _quiet(progress: SyncProgress) -> None:
    """Nobody listens."""
