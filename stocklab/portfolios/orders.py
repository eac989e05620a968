"""What a person asks for when they press Run: a value that fits into a job row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from stocklab.backtest.result import RunRequest
from stocklab.errors import InputError
from stocklab.market.panel import PriceBasis
from stocklab.strategy import parse_document

__all__ = ["BacktestOrder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestOrder:
    """One backtest: the strategy document as JSON, the inclusive range and the starting cash.

    ``basis`` None lets the data decide; ``strategy_id`` names the saved strategy it came from, if any.
    """

    document: Mapping[str, Any]
    start: date
    end: date
    initial_cash_krw: int
    basis: PriceBasis | None = None
    strategy_id: str | None = None
    seed: int = 0

    def request(self) -> RunRequest:
        """The engine's request.

        Raises
        ------
        DocumentError
            The document has faults; all are listed.
        InputError
            The range is empty or the cash is not positive.
        """
        if self.start > self.end:
            raise InputError(f"The start {self.start} is after the end {self.end}. Hint: exchange them.")
        if self.initial_cash_krw <= 0:
            raise InputError(f"The starting cash must be positive, found {self.initial_cash_krw}.")
        return RunRequest(
            strategy=parse_document(dict(self.document)),
            start=self.start,
            end=self.end,
            initial_cash_krw=self.initial_cash_krw,
            seed=self.seed,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``from_json`` gives an equal order."""
        return {
            "document": dict(self.document),
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "initial_cash_krw": self.initial_cash_krw,
            "basis": None if self.basis is None else self.basis.value,
            "strategy_id": self.strategy_id,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The order that ``to_json`` wrote."""
        return cls(
            document=stored["document"],
            start=date.fromisoformat(stored["start"]),
            end=date.fromisoformat(stored["end"]),
            initial_cash_krw=int(stored["initial_cash_krw"]),
            basis=None if stored["basis"] is None else PriceBasis(stored["basis"]),
            strategy_id=stored["strategy_id"],
            seed=int(stored["seed"]),
        )
