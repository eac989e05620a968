"""What the press calls a company: the name to search for, and others that count as it."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from stocklab.data.snapshot import Snapshot
from stocklab.errors import InputError

__all__ = ["issuer_symbol", "press_names"]

_FORMS: Final = re.compile(r"\(주\)|㈜|주식회사")


def issuer_symbol(symbol: str, kind: str) -> str:
    """The common share of the company; filings and news are about that, also for a preferred one.

    >>> issuer_symbol("005935", "preferred"), issuer_symbol("005930", "common")
    ('005930', '005930')
    """
    return f"{symbol[:5]}0" if kind == "preferred" else symbol


def press_names(snapshot: Snapshot, symbol: str) -> tuple[str, ...]:
    """Names of the issuer of a symbol, from instruments and delistings: the one to search for first, then the others.

    Raises
    ------
    InputError
        The snapshot has no name of it.
    """
    kinds = _values(snapshot, "instruments", symbol, "kind")
    issuer = issuer_symbol(symbol, kinds[0] if kinds else "")
    found = [
        name
        for code in dict.fromkeys((issuer, symbol))
        for dataset in ("instruments", "delistings")
        for name in _values(snapshot, dataset, code, "name")
    ]
    names = tuple(dict.fromkeys(plain for name in found if (plain := _FORMS.sub("", name).strip())))
    if not names:
        raise InputError(f"{symbol} has no name in this data, and news are searched for by name.")
    return names


def _values(snapshot: Snapshot, dataset: str, symbol: str, column: str) -> list[str]:
    if not snapshot.has(dataset):
        return []
    rows = snapshot.scan(dataset).filter(pl.col("symbol") == symbol).select(column).collect()
    return [value for value in rows[column].to_list() if value]
