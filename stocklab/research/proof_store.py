"""Answers of the look-ahead check on disk: one small file for each run, found by the run's id.

The id stands for document, data and code, so an answer holds for as long as the result it is about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from stocklab.data.durable import write_text_atomically
from stocklab.errors import ResultNotFound
from stocklab.research.look_ahead import Difference, LookAhead

__all__ = ["CHECK_VERSION", "ProofStore", "look_ahead_json"]

CHECK_VERSION: Final = 1
"""Raised when the check itself changes: answers of before are then not read."""

_RUN_ID = re.compile(r"^[0-9a-f]{16,64}$")


class ProofStore:
    """Answers under ``home/proofs``."""

    def __init__(self, home: Path) -> None:
        self.root = Path(home) / "proofs"

    def path(self, run_id: str) -> Path:
        """File of a run's answer, whether there or not.

        Raises
        ------
        ResultNotFound
            ``run_id`` is not the form of a run id (so that no path can be smuggled in).
        """
        if not _RUN_ID.match(run_id):
            raise ResultNotFound(run_id)
        return self.root / run_id[:2] / f"{run_id}.json"

    def load(self, run_id: str) -> LookAhead | None:
        """The answer for a run; None where it was not asked, or by another version of the check, or is unreadable."""
        try:
            stored = json.loads(self.path(run_id).read_text(encoding="utf-8"))
            return _parsed(stored) if stored["version"] == CHECK_VERSION else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # a damaged answer is worth nothing: it is found again

    def keep(self, run_id: str, found: LookAhead) -> LookAhead:
        """Store an answer and return the one that holds: a difference that was found once is not forgotten because
        other sessions show none, and more sessions replace fewer.
        """
        known = self.load(run_id)
        better = known is None or found.identical is False
        if known is not None and known.identical is not False:
            better = better or len(found.sessions) >= len(known.sessions)
        if not better and known is not None:
            return known
        path = self.path(run_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"version": CHECK_VERSION, "run_id": run_id, **look_ahead_json(found)}
        write_text_atomically(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        return found


def look_ahead_json(found: LookAhead) -> dict[str, Any]:
    """JSON-ready; dates as text."""
    return {
        "identical": found.identical,
        "sessions": [session.isoformat() for session in found.sessions],
        "seed": found.seed,
        "decided": found.decided,
        "decided_there": found.decided_there,
        "hindsight": found.hindsight,
        "n_differences": found.n_differences,
        "differences": [
            {**asdict(each), "cut": each.cut.isoformat(), "session": each.session.isoformat()}
            for each in found.differences
        ],
    }


def _parsed(stored: Mapping[str, Any]) -> LookAhead:
    return LookAhead(
        sessions=tuple(date.fromisoformat(text) for text in stored["sessions"]),
        seed=int(stored["seed"]),
        decided=int(stored["decided"]),
        decided_there=int(stored["decided_there"]),
        n_differences=int(stored["n_differences"]),
        hindsight=bool(stored["hindsight"]),
        differences=tuple(
            Difference(
                **{
                    **each,
                    "cut": date.fromisoformat(each["cut"]),
                    "session": date.fromisoformat(each["session"]),
                }
            )
            for each in stored["differences"]
        ),
    )
