"""The demo market: a deterministic synthetic KRX for a home without data."""

from stocklab.data.demo.build import build_demo, demo_datasets

__all__ = ["build_demo", "demo_datasets"]
