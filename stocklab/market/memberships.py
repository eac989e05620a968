"""`Memberships`: which symbols belonged to an index, a theme or a sector, as lists observed on dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stocklab.types import BoolArray, IntArray

__all__ = ["INDEX", "MEMBER_KINDS", "NO_MEMBERSHIPS", "SECTOR", "THEME", "Memberships"]

INDEX: Final = "index"
THEME: Final = "theme"
SECTOR: Final = "sector"
MEMBER_KINDS: Final = (INDEX, THEME, SECTOR)


def _zero() -> IntArray:
    return np.zeros(1, dtype=np.int64)


def _none() -> IntArray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memberships:
    """Complete lists of members on the grid of a panel; each holds until the next of the same group.

    Before a group's first list its members are unknown, which is not the same as having none.

    Attributes
    ----------
    groups : (kind, name) of each group, ascending; kind is one of `MEMBER_KINDS`
    first_list : (n_groups + 1,) int64 where each group's lists begin in ``list_row``
    list_row : (n_lists,) int64 row of the panel from whose close a list is known, ascending within a group
    first_member : (n_lists + 1,) int64 where each list's members begin in ``member``
    member : (n_members,) int64 columns of the panel, ascending within a list

    >>> two = Memberships(
    ...     groups=(("index", "KOSPI200"),), first_list=np.array([0, 2]), list_row=np.array([1, 3]),
    ...     first_member=np.array([0, 2, 3]), member=np.array([0, 2, 1]),
    ... )
    >>> two.mask("index", "KOSPI200", 0, 4, 3).astype(int).tolist()
    [[0, 0, 0], [1, 0, 1], [1, 0, 1], [0, 1, 0]]
    >>> two.first_row("index", "KOSPI200"), two.first_row("theme", "2차전지")
    (1, None)
    """

    groups: tuple[tuple[str, str], ...] = ()
    first_list: IntArray = field(default_factory=_zero)
    list_row: IntArray = field(default_factory=_none)
    first_member: IntArray = field(default_factory=_zero)
    member: IntArray = field(default_factory=_none)

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of the groups of a kind, ascending."""
        return tuple(name for each, name in self.groups if each == kind)

    def first_row(self, kind: str, name: str) -> int | None:
        """Row of a group's first list; None where there is no such group."""
        if (kind, name) not in self.groups:
            return None
        return int(self.list_row[self.first_list[self.groups.index((kind, name))]])

    def members(self, kind: str, name: str, row: int) -> IntArray | None:
        """Columns of the members known at the close of a row; None where no list is known by then."""
        if (kind, name) not in self.groups:
            return None
        group = self.groups.index((kind, name))
        first, last = self.first_list[group], self.first_list[group + 1]
        place = int(first + np.searchsorted(self.list_row[first:last], row, side="right")) - 1
        return None if place < first else self.member[self.first_member[place] : self.first_member[place + 1]]

    def mask(self, kind: str, name: str, first: int, last: int, n_symbols: int) -> BoolArray:
        """(last - first, n_symbols) bool: who is a known member on rows [first, last); False while unknown."""
        out = np.zeros((last - first, n_symbols), dtype=np.bool_)
        if (kind, name) not in self.groups:
            return out
        group = self.groups.index((kind, name))
        lists = range(int(self.first_list[group]), int(self.first_list[group + 1]))
        for place in lists:
            start = max(int(self.list_row[place]), first)
            end = min(int(self.list_row[place + 1]) if place + 1 < lists.stop else last, last)
            if start < end:
                out[
                    start - first : end - first, self.member[self.first_member[place] : self.first_member[place + 1]]
                ] = True
        return out

    def until(self, last_row: int, then: Callable[[str, str], IntArray] | None = None) -> Memberships:
        """The lists known at the close of a row; ``then`` gives columns of one more list of each group for the row
        after it, such as noise. Groups without a list by then stay only if ``then`` adds one."""
        groups: list[tuple[str, str]] = []
        rows: list[int] = []
        lists: list[IntArray] = []
        first_list = [0]
        for number, (kind, name) in enumerate(self.groups):
            places = [
                place
                for place in range(int(self.first_list[number]), int(self.first_list[number + 1]))
                if self.list_row[place] <= last_row
            ]
            rows += [int(self.list_row[place]) for place in places]
            lists += [self.member[self.first_member[place] : self.first_member[place + 1]] for place in places]
            if then is not None:
                rows.append(last_row + 1)
                lists.append(np.asarray(then(kind, name), dtype=np.int64))
            if len(rows) > first_list[-1]:
                groups.append((kind, name))
                first_list.append(len(rows))
        return Memberships(
            groups=tuple(groups),
            first_list=np.array(first_list, dtype=np.int64),
            list_row=np.array(rows, dtype=np.int64),
            first_member=np.cumsum([0, *(len(members) for members in lists)]).astype(np.int64),
            member=np.concatenate(lists).astype(np.int64) if lists else _none(),
        )


NO_MEMBERSHIPS: Final = Memberships()
