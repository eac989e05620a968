"""The look-ahead check as a job: after everything somebody waits for, one at a time, kept under the run's id."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from stocklab.backtest.result import ShouldCancel
from stocklab.db import Database, JobState
from stocklab.errors import ResultNotFound
from stocklab.portfolios import BacktestOrder, JobOutcome, Jobs, JobTable, Lab, Order, ProofOrder
from stocklab.portfolios.jobs import OnJobProgress
from stocklab.portfolios.orders import order_of
from stocklab.research.look_ahead import Difference, LookAhead
from stocklab.research.proof_store import ProofStore
from stocklab.settings import Settings
from stocklab.strategy import PRESETS

Eventually = Callable[..., None]
MakeOrder = Callable[..., BacktestOrder]


class Gate:
    """Work that notes what began and ends when it may."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def __call__(self, _owner: str, order: Order, _tell: OnJobProgress, should_cancel: ShouldCancel) -> JobOutcome:
        self.begun.append(order.run_id if isinstance(order, ProofOrder) else order.kind)
        while not self.may_end.wait(0.01):
            if should_cancel():
                break
        return JobOutcome(run_id="a" * 32, cached=False)


def test_checks_wait_for_everybody_and_run_one_at_a_time(
    database: Database, order: MakeOrder, eventually: Eventually
) -> None:
    gate = Gate()
    jobs = Jobs(JobTable(database), gate, max_concurrent=2, max_queued=3)
    proofs = [jobs.submit("local", ProofOrder(run_id=letter * 40)) for letter in "123"]
    eventually(lambda: gate.begun == ["1" * 40])
    backtests = [jobs.submit("local", order(name)) for name in "AB"]
    eventually(lambda: len(gate.begun) == 2)
    assert gate.begun[1] == "backtest"  # the second place is for what somebody waits for
    assert jobs.get("local", backtests[1]).place == 1  # checks that wait are not before it
    assert [jobs.get("local", job_id).place for job_id in proofs[1:]] == [1, 2]
    gate.may_end.set()
    eventually(lambda: all(not jobs.get("local", job_id).live for job_id in (*proofs, *backtests)))
    # both places fall free at once: the backtest takes one, the next check the other, and either may be seen first
    assert set(gate.begun[2:4]) == {"backtest", "2" * 40}
    assert gate.begun[4:] == ["3" * 40]
    jobs.close()


def test_an_order_comes_back_from_its_row() -> None:
    asked = ProofOrder(run_id="ab" * 20, sessions=32)
    assert order_of("proof", asked.to_json()) == asked


FOUND = LookAhead(
    sessions=(date(2024, 1, 2), date(2024, 3, 4)), seed=0, decided=7, decided_there=2, n_differences=0, differences=()
)
PEEK = Difference(
    cut=date(2024, 3, 4), session=date(2024, 3, 4), part="score", symbol="000010", run="1", replay="unknown"
)


def test_answers_are_kept_and_a_difference_is_never_forgotten(tmp_path: Path) -> None:
    proofs = ProofStore(tmp_path)
    assert proofs.load("ab" * 20) is None
    assert proofs.keep("ab" * 20, FOUND) == FOUND
    assert proofs.load("ab" * 20) == FOUND
    fewer = replace(FOUND, sessions=FOUND.sessions[:1])
    assert proofs.keep("ab" * 20, fewer) == FOUND  # more sessions say more
    red = replace(fewer, n_differences=4, differences=(PEEK,))
    assert proofs.keep("ab" * 20, red) == red
    assert proofs.keep("ab" * 20, FOUND) == red
    assert proofs.load("ab" * 20) == red
    proofs.path("ab" * 20).write_text("{", encoding="utf-8")
    assert proofs.load("ab" * 20) is None
    with pytest.raises(ResultNotFound):
        proofs.path("../../etc/passwd")


@pytest.fixture
def demo_lab(demo_home: Path, tmp_path: Path) -> Iterator[Lab]:
    shutil.copytree(demo_home, tmp_path / "home")
    opened = Lab.open(Settings(home=tmp_path / "home", engine_threads=1))
    yield opened
    opened.close()


def test_a_run_is_checked_and_the_answer_stays(demo_lab: Lab, eventually: Eventually) -> None:
    asked = BacktestOrder(
        document=PRESETS["short_term_reversal"].strategy.model_dump(mode="json"),
        start=date(2020, 1, 2),
        end=date(2021, 12, 30),
        initial_cash_krw=100_000_000,
    )
    jobs, owner = demo_lab.jobs, demo_lab.owner_id

    def finished(order: Order) -> str:
        job_id = jobs.submit(owner, order)
        eventually(lambda: not jobs.get(owner, job_id).live, seconds=120)
        return job_id

    run_id = jobs.get(owner, finished(asked)).run_id
    assert run_id is not None
    view = jobs.get(owner, finished(ProofOrder(run_id=run_id, sessions=3)))
    assert (view.state, view.run_id, view.cached) == (JobState.COMPLETED, run_id, False)
    assert view.progress.stage == "proof"
    found = demo_lab.proofs.load(run_id)
    assert found is not None
    assert (found.identical, len(found.sessions)) == (True, 3)
    assert jobs.get(owner, finished(ProofOrder(run_id=run_id, sessions=3))).cached
    # a run of other data or code is not checked as if it were this one
    result = demo_lab.results.load(run_id)
    old = {**result.card, "run_id": "cd" * 20, "code_sha256": "0" * 16}
    demo_lab.results.save(replace(result, run_id="cd" * 20, card=old))
    view = jobs.get(owner, finished(ProofOrder(run_id="cd" * 20)))
    assert (view.state, view.error_code) == (JobState.FAILED, "result_outdated")
    assert "changed since this run" in (view.error_message or "")
