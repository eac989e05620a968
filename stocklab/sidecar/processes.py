"""Keep a few child processes running: restart with backoff, give up in the end, stop in order."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import structlog

__all__ = ["Child", "Patience", "supervise"]

log = structlog.get_logger(__name__)

EXIT_STOPPED = 0
EXIT_GAVE_UP = 4
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running.

    ``grace_seconds`` is how long it may take to stop before it is killed. One that is not ``essential`` is started
    again however often it crashes; the others are not brought down for it.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    grace_seconds: float = 10.0
    essential: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How crashes are met: the delay doubles from first to longest; ``attempts`` crashes in a row are the end, if the
    child is essential.

    A child that ran for ``healthy_seconds`` starts with a clean record.
    """

    first_delay_seconds: float = 0.5
    longest_delay_seconds: float = 30.0
    attempts: int = 6
    healthy_seconds: float = 10.0

    def delay(self, crashes: int) -> float:
        """Seconds to wait after that many crashes in a row.

        >>> Patience().delay(1), Patience().delay(3), Patience().delay(20)
        (0.5, 2.0, 30.0)
        """
        return float(min(self.longest_delay_seconds, self.first_delay_seconds * 2.0 ** (min(crashes, 30) - 1)))


@dataclass(slots=True, kw_only=True)
class _Watched:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    restart_at: float = 0.0


class _Signals:
    """SIGTERM and SIGINT counted, and a pipe that wakes the loop for them and for SIGCHLD."""

    def __init__(self) -> None:
        self.stops = 0
        self.read_end, self.write_end = socket.socketpair()

    def note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self.stops += 1

    def wait(self, seconds: float) -> None:
        if select.select([self.read_end], [], [], max(0.0, seconds))[0]:
            self.read_end.recv(4096)


def supervise(
    children: Sequence[Child], *, patience: Patience | None = None, on_start: Callable[[Child], None] | None = None
) -> int:
    """Run the children until SIGTERM or SIGINT, or until one of them keeps crashing. Main thread only.

    They are started and stopped in the given order, each with its own grace; a second signal kills them at once. They
    die with this process, however it ends.

    Returns
    -------
    0 after a stop that was asked for, 4 after giving up on a child.
    """
    patience = Patience() if patience is None else patience
    watched = [_Watched(child=child) for child in children]
    with _signals() as signals:
        try:
            for each in watched:
                _start(each)
                if on_start is not None:
                    on_start(each.child)
            return _watch(watched, patience, signals)
        finally:
            _stop(watched, signals)


def _watch(watched: Sequence[_Watched], patience: Patience, signals: _Signals) -> int:
    while not signals.stops:
        now = time.monotonic()
        for each in watched:
            if each.process is not None and each.process.poll() is not None:
                _note_end(each, patience, now)
                if each.child.essential and each.crashes >= patience.attempts:
                    log.error("child_given_up", child=each.child.name, crashes=each.crashes)
                    return EXIT_GAVE_UP
            if each.process is None and now >= each.restart_at:
                _start(each)
        waiting = [each.restart_at for each in watched if each.process is None]
        signals.wait(min([*waiting, now + 60.0]) - time.monotonic())
    return EXIT_STOPPED


def _note_end(each: _Watched, patience: Patience, now: float) -> None:
    code = None if each.process is None else each.process.returncode
    each.process = None
    each.crashes = 1 if now - each.started >= patience.healthy_seconds else each.crashes + 1
    delay = patience.delay(each.crashes)
    each.restart_at = now + delay
    log.warning("child_ended", child=each.child.name, exit_code=code, crashes=each.crashes, restart_in_seconds=delay)


def _start(each: _Watched) -> None:
    child = each.child
    libc = ctypes.CDLL(None)  # loaded before the fork: the child may only call what is already there
    parent = os.getpid()

    def die_with_parent() -> None:
        if hasattr(libc, "prctl"):
            libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    each.process = subprocess.Popen(
        child.command,
        env={**os.environ, **child.environment},
        cwd=child.directory,
        start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the children in order
        preexec_fn=die_with_parent,  # noqa: PLW1509 (nothing but system calls after the fork)
    )
    each.started = time.monotonic()
    log.info("child_started", child=child.name, pid=each.process.pid, crashes=each.crashes)


def _stop(watched: Sequence[_Watched], signals: _Signals) -> None:
    signals_before = signals.stops
    for each in watched:
        process = each.process
        if process is None or process.poll() is not None:
            continue
        process.terminate()
        deadline = time.monotonic() + each.child.grace_seconds
        while process.poll() is None and time.monotonic() < deadline and signals.stops <= max(signals_before, 1):
            signals.wait(deadline - time.monotonic())
        killed = process.poll() is None
        if killed:
            process.kill()
        code = process.wait()
        log.info("child_stopped", child=each.child.name, exit_code=code, killed=killed)


@contextmanager
def _signals() -> Iterator[_Signals]:
    """Handlers in place for the block, and the old ones afterwards."""
    signals = _Signals()
    signals.write_end.setblocking(False)
    old_wakeup = signal.set_wakeup_fd(signals.write_end.fileno(), warn_on_full_buffer=False)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
    old = [signal.signal(number, signals.note) for number in numbers]
    try:
        yield signals
    finally:
        for number, handler in zip(numbers, old, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(old_wakeup)
        signals.read_end.close()
        signals.write_end.close()
