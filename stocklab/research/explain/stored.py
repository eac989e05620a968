"""The request behind a stored result, read back from its card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from stocklab.backtest.result import RunRequest
from stocklab.strategy import parse_document

__all__ = ["request_of"]


def request_of(card: Mapping[str, Any]) -> RunRequest:
    """What was asked for, dates as they were given: on the same data and program it has the same run id.

    Raises
    ------
    DocumentError
        The document is of a version this program does not know.
    """
    return RunRequest(
        strategy=parse_document(dict(card["strategy"])),
        start=date.fromisoformat(card["start"]),
        end=date.fromisoformat(card["end"]),
        initial_cash_krw=int(card["initial_cash_krw"]),
        seed=int(card["seed"]),
    )
