"""Memberships on the grid of a panel: made from the dataset ``members``, kept and opened beside the fields."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.data.field_place import FieldPlace
from stocklab.market.memberships import NO_MEMBERSHIPS, Memberships
from stocklab.types import AnyArray, DateArray

__all__ = ["memberships_of", "open_memberships", "save_memberships", "write_memberships"]

_PREFIX: Final = "memberships-"
_ARRAYS: Final = ("first_list", "list_row", "first_member", "member")
_GROUP: Final = ("kind", "name")


def save_memberships(place: FieldPlace) -> dict[str, Any]:
    """Save the lists of the snapshot; what the panel's meta file says of them."""
    known = NO_MEMBERSHIPS
    if place.snapshot.has("members"):
        known, strangers = memberships_of(place.snapshot.scan("members").collect(), place.sessions, place.symbols)
        if strangers:
            place.notes.append(f"{strangers} symbols in lists of members have no bars and are not used.")
    return write_memberships(known, place.write_aside)


def write_memberships(known: Memberships, save: Callable[[str, AnyArray], None]) -> dict[str, Any]:
    """Write the arrays; what the panel's meta file says of them."""
    for name in _ARRAYS:
        save(f"{_PREFIX}{name}", getattr(known, name))
    return {"groups": [list(group) for group in known.groups]}


def open_memberships(directory: Path, meta: dict[str, Any]) -> Memberships:
    """Read what `write_memberships` wrote."""
    arrays: dict[str, AnyArray] = {}
    for name in _ARRAYS:
        values: AnyArray = np.load(directory / f"{_PREFIX}{name}.npy")
        values.flags.writeable = False
        arrays[name] = values
    return Memberships(groups=tuple((kind, name) for kind, name in meta["groups"]), **arrays)


def memberships_of(members: pl.DataFrame, sessions: DateArray, symbols: tuple[str, ...]) -> tuple[Memberships, int]:
    """The lists on a grid, and how many of their symbols the grid does not have.

    A list counts from the first session on or after its day: one of a holiday from the next session, one of before the
    panel from its first. Of several that come to one row the last stays; lists of after the panel are left out.

    Parameters
    ----------
    members : dataset "members"
    sessions : (n_sessions,) datetime64[D]
    """
    days = members["session"].to_numpy().astype("datetime64[D]")
    rows = members.select(*_GROUP, "session", "symbol").with_columns(
        row=pl.Series(np.searchsorted(sessions, days).astype(np.int64))
    )
    rows = rows.filter(
        (pl.col("row") < len(sessions)) & (pl.col("session") == pl.col("session").max().over(*_GROUP, "row"))
    )
    if rows.is_empty():
        return NO_MEMBERSHIPS, 0
    order = pl.DataFrame({"symbol": list(symbols), "column": np.arange(len(symbols), dtype=np.int64)})
    rows = rows.join(order, on="symbol", how="left")
    strangers = rows.filter(pl.col("column").is_null())["symbol"].n_unique()
    lists = rows.group_by(*_GROUP, "row").agg(pl.col("column").drop_nulls().sort()).sort(*_GROUP, "row")
    groups = lists.group_by(*_GROUP, maintain_order=True).len()
    return (
        Memberships(
            groups=tuple((kind, name) for kind, name in groups.select(*_GROUP).iter_rows()),
            first_list=np.cumsum([0, *groups["len"].to_list()]).astype(np.int64),
            list_row=lists["row"].to_numpy().astype(np.int64),
            first_member=np.cumsum([0, *lists["column"].list.len().to_list()]).astype(np.int64),
            member=lists["column"].explode(empty_as_null=False).to_numpy().astype(np.int64),
        ),
        strangers,
    )
