"""What a stored run was asked for, and the panel it would run on today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import stocklab
from stocklab.backtest import ENGINE_VERSION, RunRequest
from stocklab.backtest.code_stamp import code_stamp
from stocklab.market.panel import PriceBasis
from stocklab.strategy import parse_document

__all__ = ["basis_of", "made_by_this", "request_of"]


def request_of(card: Mapping[str, Any]) -> RunRequest:
    """The request behind a run card: the same one gives the same run id on the same data and code.

    Raises
    ------
    DocumentError
        The strategy is not valid any more; every fault is listed.
    """
    return RunRequest(
        strategy=parse_document(dict(card["strategy"])),
        start=date.fromisoformat(card["start"]),
        end=date.fromisoformat(card["end"]),
        initial_cash_krw=int(card["initial_cash_krw"]),
        seed=int(card["seed"]),
    )


def basis_of(card: Mapping[str, Any]) -> PriceBasis:
    """The prices a run traded on."""
    return PriceBasis(card["price_basis"])


def made_by_this(card: Mapping[str, Any], snapshot_id: str | None) -> bool:
    """Whether a run was made on this snapshot by this program, so that running it again has the same id."""
    now = (snapshot_id, stocklab.__version__, ENGINE_VERSION, code_stamp())
    return now == (card.get("snapshot_id"), card.get("version"), card.get("engine_version"), card.get("code_sha256"))
