"""Find my strategy: five questions, three ready-made strategies that fit, each run in one click."""

from __future__ import annotations

from stocklab.ui import blocks
from stocklab.ui.start import page
from stocklab.ui.text import _

blocks.title(_("Find my strategy"), _("Five questions, and the published ideas that fit your answers."))
with blocks.guarded():
    page.draw()
