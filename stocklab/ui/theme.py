"""Colours and the style sheet. Up is red and down is blue, as on every Korean price board."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Final

__all__ = ["BENCHMARK", "DOWN", "FLAT", "GRID", "ICON", "LOGO", "STRATEGY", "STYLE", "UP"]

_ASSETS: Final = Path(__file__).parent / "assets"
UP: Final = "#d92d3a"
DOWN: Final = "#1d6fdc"
FLAT: Final = "#8a94a6"
STRATEGY: Final = "#0d7a6f"
BENCHMARK: Final = "#9aa4b2"
GRID: Final = "rgba(128,138,155,.18)"
STYLE: Final = "<style>" + (_ASSETS / "style.css").read_text(encoding="utf-8") + "</style>"


def _inline(name: str, kind: str) -> str:
    """A small image as a data URI: Streamlit reads and hashes a file at every page run, this it passes through."""
    return f"data:{kind};base64,{b64encode((_ASSETS / name).read_bytes()).decode()}"


ICON: Final = _inline("icon.png", "image/png")
LOGO: Final = _inline("logo.svg", "image/svg+xml")
