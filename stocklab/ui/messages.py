"""Keep the Korean catalogue in step with the code: ``python -m stocklab.ui.messages``.

Extracts every ``_("...")`` and ``N_("...")`` of ``stocklab/ui`` and ``pages``, adds new messages (untranslated) to the
``.po`` file and drops those no longer used. A test fails while one is missing, fuzzy or unused.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from stocklab.ui.text import LOCALE

__all__ = ["extract_messages", "read_catalogue", "update"]

ROOT = Path(__file__).resolve().parents[2]


def extract_messages(root: Path = ROOT) -> Mapping[str, list[str]]:
    """Every message id in the code, with the files that use it.

    Read from the syntax tree, as gettext's own extractors miss calls inside f-strings.
    """
    found: dict[str, list[str]] = {}
    for file in sorted([*(root / "stocklab" / "ui").rglob("*.py"), *(root / "pages").glob("*.py")]):
        name = file.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="_" | "N_"), args=[ast.Constant(value=str(message))]):
                    places = found.setdefault(message, [])
                    if name not in places:
                        places.append(name)
    return found


def read_catalogue(language: str = "ko") -> Catalog:
    """The catalogue as stored, with its flags."""
    with (LOCALE / language / "LC_MESSAGES" / "stocklab.po").open("rb") as stream:
        return read_po(stream, locale=language)


def update(root: Path = ROOT) -> int:
    """Rewrite the Korean catalogue; returns how many messages still have no translation."""
    old = read_catalogue()
    new = Catalog(
        locale="ko",
        project="Stock Lab",
        version="1",
        header_comment="# Korean catalogue of Stock Lab. Update: python -m stocklab.ui.messages",
        fuzzy=False,
        charset="utf-8",
    )
    new.creation_date = old.creation_date
    new.revision_date = old.revision_date
    for message, places in extract_messages(root).items():
        known = old.get(message)
        text = known.string if known is not None and not known.fuzzy else ""
        new.add(message, text, locations=[(place, 0) for place in places])
    with (LOCALE / "ko" / "LC_MESSAGES" / "stocklab.po").open("wb") as stream:
        write_po(stream, new, width=120, sort_output=True)
    return sum(1 for message in new if message.id and not message.string)


if __name__ == "__main__":
    sys.stdout.write(f"{update()} messages without a Korean translation\n")
