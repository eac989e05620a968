"""Flags an exchange puts on an issue for a time, such as administrative issue: their ids and fields."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["ISSUE_FLAGS", "KOREAN_FLAGS", "UNKNOWN_FLAG", "flag_field"]

UNKNOWN_FLAG: Final = 255
"""In a field of a flag: neither yes (1) nor no (0) is known."""

KOREAN_FLAGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # what the exchange calls each; docs/data.md lists them
        "administrative": "관리종목",
        "attention": "투자주의환기종목",
        "caution": "투자주의종목",
        "warning": "투자경고종목",
        "risk": "투자위험종목",
        "overheated": "단기과열종목",
        "unfaithful": "불성실공시법인",
        "clearance": "정리매매",
        "halted": "매매거래정지",
    }
)
ISSUE_FLAGS: Final = tuple(KOREAN_FLAGS)


def flag_field(flag: str) -> str:
    """Name of the panel's field of a flag.

    >>> flag_field("warning")
    'flag_warning'
    """
    return f"flag_{flag}"
