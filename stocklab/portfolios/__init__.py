"""Application services over the app database: saved strategies, runs, jobs, and the `Lab` that holds them together."""

from stocklab.portfolios.access import Access, HeldKind
from stocklab.portfolios.ideas import Ideas
from stocklab.portfolios.job_rows import JobTable
from stocklab.portfolios.jobs import JobOutcome, Jobs, error_code
from stocklab.portfolios.lab import Lab, close_shared_lab, database_url, shared_lab
from stocklab.portfolios.onboarding import Onboarding
from stocklab.portfolios.orders import BacktestOrder, Order, ProofOrder, SweepOrder
from stocklab.portfolios.own_sweeps import OwnSweeps
from stocklab.portfolios.progress import JobProgress, JobView
from stocklab.portfolios.runs import RunNotFound, Runs, RunView
from stocklab.portfolios.shelf import LONGEST_NOTE, Folder, Shelf, ShelfSort, VersionHistory
from stocklab.portfolios.strategies import (
    SavedStrategy,
    Strategies,
    StrategyConflict,
    StrategyNotFound,
    StrategySummary,
    StrategyVersion,
)
from stocklab.portfolios.universes import SavedUniverse, UniverseNameTaken, UniverseNotFound, Universes

__all__ = [
    "LONGEST_NOTE",
    "Access",
    "BacktestOrder",
    "Folder",
    "HeldKind",
    "Ideas",
    "JobOutcome",
    "JobProgress",
    "JobTable",
    "JobView",
    "Jobs",
    "Lab",
    "Onboarding",
    "Order",
    "OwnSweeps",
    "ProofOrder",
    "RunNotFound",
    "RunView",
    "Runs",
    "SavedStrategy",
    "SavedUniverse",
    "Shelf",
    "ShelfSort",
    "Strategies",
    "StrategyConflict",
    "StrategyNotFound",
    "StrategySummary",
    "StrategyVersion",
    "SweepOrder",
    "UniverseNameTaken",
    "UniverseNotFound",
    "Universes",
    "VersionHistory",
    "close_shared_lab",
    "database_url",
    "error_code",
    "shared_lab",
]
