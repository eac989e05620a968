"""Names of processes that hold jobs, and whether such a process is known to be gone."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

__all__ = ["is_gone", "worker_name"]

_PROC = Path("/proc")


def worker_name() -> str:
    """A name for this process: host and PID namespace, process id, when it started, and a random part."""
    return f"{_place()}|{os.getpid()}|{_started(os.getpid())}|{secrets.token_hex(4)}"


def is_gone(worker: str) -> bool:
    """True when the process of that name ran here and is over; False also when that cannot be known from here."""
    parts = worker.rsplit("|", 3)
    if len(parts) != 4 or parts[0] != _place() or not parts[1].isdigit() or not parts[2]:
        return False
    return _started(int(parts[1])) != parts[2]


def _place() -> str:
    """Host name and PID namespace: the same number in two containers is not the same process."""
    namespace = _PROC / "self" / "ns" / "pid"
    return f"{socket.gethostname()[:60]}/{namespace.readlink() if namespace.is_symlink() else ''}"


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of a process; "" when there is none, or no /proc to ask."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()  # the name before may hold spaces and parentheses
    return "" if fields[0] == "Z" else fields[19]
