"""System: every part of the program, its uptime, its jobs and what this process holds."""

from __future__ import annotations

from stocklab.ui import blocks, emergency
from stocklab.ui.system import panel
from stocklab.ui.text import _

blocks.title(_("System"), _("Whether every part works, since when, what runs and what comes next."))
panel.draw()
with blocks.guarded():
    emergency.everybody()
