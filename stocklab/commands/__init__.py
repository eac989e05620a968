"""Commands of the command line, a module for each theme: ``add_commands`` adds them to the parser of `stocklab.cli`.

What only some commands need (the app database, the supervisor, the demo market) is imported when they run, so that a
backtest starts a second sooner.
"""

from __future__ import annotations

__all__: list[str] = []
