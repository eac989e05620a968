"""When no share of the exchange could be sold short."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from stocklab.types import BoolArray, DateArray

__all__ = ["SHORT_SALE_BANS", "short_sales_banned"]

SHORT_SALE_BANS: Final = (  # first and last day; source: docs/factors.md, section 11, item 3
    (date(2020, 3, 16), date(2021, 5, 2)),
    (date(2023, 11, 6), date(2025, 3, 30)),
)


def short_sales_banned(days: DateArray) -> BoolArray:
    """Whether short sales were banned for all stocks on each day, (n,).

    Between the two bans only members of KOSPI200 and KOSDAQ150 could be sold short, which this does not tell.

    >>> short_sales_banned(np.array(["2020-03-13", "2020-03-16", "2021-05-03"], dtype="datetime64[D]"))
    array([False,  True, False])
    """
    banned = np.zeros(len(days), dtype=np.bool_)
    for first, last in SHORT_SALE_BANS:
        banned |= (days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D"))
    return banned
