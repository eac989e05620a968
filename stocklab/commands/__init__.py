"""Commands of the command line, a module for each family; `stocklab.cli` registers them."""

from __future__ import annotations

__all__: list[str] = []
