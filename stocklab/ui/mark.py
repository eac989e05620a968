"""Marking texts for the catalogue."""

from __future__ import annotations

__all__ = ["N_"]


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark now, translate later"
    """Mark a message for the catalogue without translating it yet."""
    return message
