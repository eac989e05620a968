"""How a page is photographed: the widths, and the whole of its height."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import live_app
from playwright.sync_api import Page

__all__ = ["WIDTHS", "whole_page"]

WIDTHS: Final = {"wide": (1440, 900), "narrow": (390, 844)}
_TALLEST: Final = 6000


def whole_page(page: Page, file: Path) -> None:
    """The page in its full height; Streamlit scrolls inside, so the window grows to the content first."""
    width = page.viewport_size["width"] if page.viewport_size else 1280
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(_TALLEST, max(600, int(height)))})
    live_app.settled(page)
    page.wait_for_timeout(700)
    page.screenshot(path=str(file))
