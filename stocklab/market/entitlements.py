"""`Entitlements`: what holders of a share get beside a change of their number, on the grid of a panel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stocklab.types import BoolArray, IntArray

__all__ = ["DIVIDEND_UNITS_PER_KRW", "NO_ENTITLEMENTS", "Entitlements"]

DIVIDEND_UNITS_PER_KRW: Final = 10_000
"""Amounts per share are whole ten-thousandths of a won."""


def _none() -> IntArray:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlements:
    """Rows are session indices of the panel, symbols column indices; every group is sorted by row, then symbol.

    Attributes
    ----------
    dividend_row, dividend_symbol : (n_dividends,) int64 ex-date of a cash dividend
    dividend_units : (n_dividends,) int64 ten-thousandths of a won per share held at the close before the ex-date
    dividend_paid : (n_dividends,) int64 row at whose opening the money is there; n_sessions where that lies beyond
    dividend_guessed : (n_dividends,) bool the day of payment is not known but expected
    unlisted_row, unlisted_symbol : (n_unlisted,) int64 ex-date of bonus shares that list later
    unlisted_until : (n_unlisted,) int64 row from which they can be sold; n_sessions where that lies beyond
    rights_row, rights_symbol : (n_rights,) int64 ex-date of subscription rights
    spin_off_row, spin_off_symbol : (n_spin_offs,) int64 resumption after what looks like a spin-off
    dividends_known : False where no dividends are loaded at all
    """

    dividend_row: IntArray = field(default_factory=_none)
    dividend_symbol: IntArray = field(default_factory=_none)
    dividend_units: IntArray = field(default_factory=_none)
    dividend_paid: IntArray = field(default_factory=_none)
    dividend_guessed: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    unlisted_row: IntArray = field(default_factory=_none)
    unlisted_symbol: IntArray = field(default_factory=_none)
    unlisted_until: IntArray = field(default_factory=_none)
    rights_row: IntArray = field(default_factory=_none)
    rights_symbol: IntArray = field(default_factory=_none)
    spin_off_row: IntArray = field(default_factory=_none)
    spin_off_symbol: IntArray = field(default_factory=_none)
    dividends_known: bool = False

    def between(self, first: int, last: int) -> Entitlements:
        """Those of sessions [first, last) of the panel, on the grid of these sessions alone.

        >>> known = Entitlements(rights_row=np.array([1, 5, 9]), rights_symbol=np.array([0, 3, 0]))
        >>> known.between(2, 9).rights_row.tolist(), known.between(2, 9).rights_symbol.tolist()
        ([3], [3])
        """
        paid, late, given, spun = (
            np.flatnonzero((rows >= first) & (rows < last))
            for rows in (self.dividend_row, self.unlisted_row, self.rights_row, self.spin_off_row)
        )
        return Entitlements(
            dividend_row=self.dividend_row[paid] - first,
            dividend_symbol=self.dividend_symbol[paid],
            dividend_units=self.dividend_units[paid],
            dividend_paid=np.minimum(self.dividend_paid[paid], last) - first,
            dividend_guessed=self.dividend_guessed[paid],
            unlisted_row=self.unlisted_row[late] - first,
            unlisted_symbol=self.unlisted_symbol[late],
            unlisted_until=np.minimum(self.unlisted_until[late], last) - first,
            rights_row=self.rights_row[given] - first,
            rights_symbol=self.rights_symbol[given],
            spin_off_row=self.spin_off_row[spun] - first,
            spin_off_symbol=self.spin_off_symbol[spun],
            dividends_known=self.dividends_known,
        )


NO_ENTITLEMENTS: Final = Entitlements()
