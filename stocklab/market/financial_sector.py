"""Which issuers are financial companies: their statements have another layout (docs/factors.md, section 4.8)."""

from __future__ import annotations

from typing import Final

__all__ = ["is_financial"]

_SECTOR_WORDS: Final = ("금융", "은행", "보험", "신탁", "연금", "증권", "투자", "저축", "financ", "bank", "insur")
# KSIC 649 holds card, capital and venture firms and financial holding companies, but also every other holding company
# (LG, SK, CJ): there the name decides.
_MIXED_SECTOR: Final = "기타 금융업"
_NAME_WORDS: Final = (
    "금융", "은행", "뱅크", "보험", "생명", "화재", "증권", "카드", "캐피탈", "저축", "신탁", "인베스트먼트", "벤처",
    "투자", "창투", "스팩", "파트너스", "신한지주", "IB",
)  # fmt: skip


def is_financial(sector: str, name: str) -> bool:
    """Whether an issuer is a bank, insurer, broker, card, capital or venture firm, or a financial holding company.

    An unknown sector ("") is not taken for a financial one.

    >>> [is_financial("기타 금융업", name) for name in ("LG", "KB금융")]
    [False, True]
    """
    lowered = sector.lower()
    if not any(word in lowered for word in _SECTOR_WORDS):
        return False
    return sector != _MIXED_SECTOR or any(word in name for word in _NAME_WORDS)
