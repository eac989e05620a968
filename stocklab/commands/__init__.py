"""Commands of the command line, a module for each theme: ``add_commands`` adds them to the parser of `stocklab.cli`.

Only the module of the command that is asked for is imported, and what only some of its commands need (the app database,
the supervisor, the demo market) when they run: a command starts sooner.
"""

from __future__ import annotations

__all__: list[str] = []
