"""What a person asks for when they press Run: a value that fits into a job row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from stocklab.backtest.result import RunRequest
from stocklab.errors import InputError
from stocklab.market.panel import PriceBasis
from stocklab.research.look_ahead import SESSIONS
from stocklab.strategy import parse_document
from stocklab.strategy.sweep import Sweep, parse_sweep

__all__ = ["BACKGROUND", "KINDS", "BacktestOrder", "Order", "ProofOrder", "SweepOrder", "order_of"]


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

    @property
    def kind(self) -> str:
        """What a job row says it is."""
        return "backtest"

    def check(self) -> None:
        """Refuse what cannot run; raises as `request`."""
        self.request()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOrder:
    """One sweep: its document as JSON. ``basis`` None lets the data decide."""

    document: Mapping[str, Any]
    basis: PriceBasis | None = None

    @property
    def kind(self) -> str:
        """What a job row says it is."""
        return "sweep"

    def check(self) -> None:
        """Refuse what cannot run; raises as `sweep`."""
        self.sweep()

    def sweep(self) -> Sweep:
        """The sweep itself.

        Raises
        ------
        DocumentError
            The document has faults; all are listed.
        """
        return parse_sweep(dict(self.document))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``from_json`` gives an equal order."""
        return {"document": dict(self.document), "basis": None if self.basis is None else self.basis.value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The order that ``to_json`` wrote."""
        basis = stored["basis"]
        return cls(document=stored["document"], basis=None if basis is None else PriceBasis(basis))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOrder:
    """The look-ahead check of a stored run."""

    run_id: str
    sessions: int = SESSIONS

    @property
    def kind(self) -> str:
        """What a job row says it is."""
        return "proof"

    def check(self) -> None:
        """Nothing can be wrong with it before it runs."""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; ``from_json`` gives an equal order."""
        return {"run_id": self.run_id, "sessions": self.sessions}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The order that ``to_json`` wrote."""
        return cls(run_id=stored["run_id"], sessions=int(stored["sessions"]))


Order = BacktestOrder | SweepOrder | ProofOrder

KINDS: Final = ("backtest", "sweep", "proof")
"""Every kind of job."""

BACKGROUND: Final = frozenset({"proof"})
"""Kinds of jobs nobody waits for: they run one at a time, and after everything that somebody waits for."""


def order_of(kind: str, stored: Mapping[str, Any]) -> Order:
    """The order of a job row."""
    match kind:
        case "sweep":
            return SweepOrder.from_json(stored)
        case "proof":
            return ProofOrder.from_json(stored)
        case _:
            return BacktestOrder.from_json(stored)
