"""`supervise` in a process of its own, with real children and real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

Start = Callable[[str], "subprocess.Popen[str]"]

_CHILD = """
import os, signal, sys, time
name, drain = sys.argv[1], float(sys.argv[2])
def note(word):
    with open("events.txt", "a") as file:
        file.write(f"{name} {word} {os.getpid()}\\n")
def leave(*_):
    time.sleep(drain)
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave if drain >= 0 else signal.SIG_IGN)
note("started")
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Run code that calls ``supervise``; ``child(name, drain)`` makes a child that notes what happens to it."""
    (tmp_path / "child.py").write_text(_CHILD)
    running: list[subprocess.Popen[str]] = []

    def run(code: str) -> subprocess.Popen[str]:
        prelude = """
            import sys
            from stocklab.sidecar.processes import Child, Patience, supervise
            def child(name, drain=0.0, grace=5.0):
                command = (sys.executable, "child.py", name, str(drain))
                return Child(name=name, command=command, grace_seconds=grace)
        """
        script = textwrap.dedent(prelude) + textwrap.dedent(code)
        running.append(
            subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, text=True, stderr=subprocess.PIPE)
        )
        return running[-1]

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def events(folder: Path) -> list[list[str]]:
    file = folder / "events.txt"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_children_in_order_and_lets_them_finish(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    supervisor = start("sys.exit(supervise([child('ui', 0.4), child('scheduler')]))")
    wait_for(lambda: len(events(tmp_path)) == 2)
    supervisor.send_signal(number)
    assert supervisor.wait(timeout=10) == 0
    # The scheduler drains at once, yet stops second: it is told only after the UI is gone.
    assert [event[:2] for event in events(tmp_path)[2:]] == [["ui", "stopped"], ["scheduler", "stopped"]]


def test_a_child_that_ends_is_started_again(start: Start, tmp_path: Path) -> None:
    supervisor = start("sys.exit(supervise([child('ui')], patience=Patience(first_delay_seconds=0.05)))")
    wait_for(lambda: len(events(tmp_path)) == 1)
    os.kill(int(events(tmp_path)[0][2]), signal.SIGKILL)
    wait_for(lambda: len(events(tmp_path)) == 2)
    first, second = (event[2] for event in events(tmp_path))
    assert first != second
    supervisor.terminate()
    assert supervisor.wait(timeout=10) == 0


def test_a_child_that_keeps_crashing_is_given_up_with_growing_pauses(start: Start, tmp_path: Path) -> None:
    supervisor = start(
        """
        import time
        crash = "import time; open('crashes.txt', 'a').write(f'{time.monotonic()}\\\\n'); raise SystemExit(3)"
        bad = Child(name="bad", command=(sys.executable, "-S", "-c", crash))
        patience = Patience(first_delay_seconds=0.2, longest_delay_seconds=5.0, attempts=4)
        sys.exit(supervise([child("ui"), bad], patience=patience))
        """
    )
    assert supervisor.wait(timeout=30) == 4
    moments = [float(line) for line in (tmp_path / "crashes.txt").read_text().split()]
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert len(moments) == 4
    for pause, least in zip(pauses, (0.2, 0.4, 0.8), strict=True):
        assert least <= pause < least + 1.5
    assert [event[:2] for event in events(tmp_path)] == [["ui", "started"], ["ui", "stopped"]]


def test_a_child_that_is_not_essential_never_brings_the_others_down(start: Start, tmp_path: Path) -> None:
    supervisor = start(
        """
        short = Child(name="short", command=(sys.executable, "-S", "-c", "open('n.txt','a').write('x')"), essential=False)
        sys.exit(supervise([child('ui'), short], patience=Patience(first_delay_seconds=0.01, longest_delay_seconds=0.02, attempts=2)))
        """
    )
    wait_for(lambda: (tmp_path / "n.txt").exists() and len((tmp_path / "n.txt").read_text()) >= 5)
    assert supervisor.poll() is None
    supervisor.terminate()
    assert supervisor.wait(timeout=10) == 0


def test_a_child_that_ran_well_for_long_has_a_clean_record(start: Start, tmp_path: Path) -> None:
    supervisor = start(
        """
        short = Child(name="short", command=(sys.executable, "-S", "-c", "open('n.txt','a').write('x')"))
        sys.exit(supervise([short], patience=Patience(first_delay_seconds=0.01, attempts=2, healthy_seconds=0.0)))
        """
    )
    wait_for(lambda: (tmp_path / "n.txt").exists() and len((tmp_path / "n.txt").read_text()) >= 4)
    assert supervisor.poll() is None
    supervisor.terminate()
    assert supervisor.wait(timeout=10) == 0


def test_a_child_that_does_not_listen_is_killed_after_its_grace(start: Start, tmp_path: Path) -> None:
    supervisor = start("sys.exit(supervise([child('deaf', -1, grace=0.5), child('ui')]))")
    wait_for(lambda: len(events(tmp_path)) == 2)
    started = time.monotonic()
    supervisor.terminate()
    assert supervisor.wait(timeout=10) == 0
    assert 0.5 <= time.monotonic() - started < 5
    assert not any(is_running(event[2]) for event in events(tmp_path))


def test_a_second_signal_does_not_wait_for_the_grace(start: Start, tmp_path: Path) -> None:
    supervisor = start("sys.exit(supervise([child('deaf', -1, grace=60)]))")
    wait_for(lambda: len(events(tmp_path)) == 1)
    supervisor.terminate()
    time.sleep(0.3)
    assert supervisor.poll() is None
    supervisor.terminate()
    assert supervisor.wait(timeout=5) == 0
    assert not is_running(events(tmp_path)[0][2])


def test_children_do_not_outlive_a_supervisor_that_was_killed(start: Start, tmp_path: Path) -> None:
    supervisor = start("sys.exit(supervise([child('ui')]))")
    wait_for(lambda: len(events(tmp_path)) == 1)
    supervisor.kill()
    wait_for(lambda: not is_running(events(tmp_path)[0][2]), seconds=5)
