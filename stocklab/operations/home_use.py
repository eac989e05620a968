"""What the home takes on disk, by part."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["HomeUse", "home_use"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeUse:
    """Bytes by part of the home (its folders by name, and "database" for the SQLite files), and of the whole disk."""

    parts: Mapping[str, int]
    free_bytes: int
    disk_bytes: int

    @property
    def used_bytes(self) -> int:
        """All parts."""
        return sum(self.parts.values())


def home_use(home: Path) -> HomeUse:
    """Walk the home; a file with several links counts once. What is removed meanwhile counts as not there.

    Raises
    ------
    OSError
        The home cannot be read.
    """
    parts: dict[str, int] = {}
    seen: set[tuple[int, int]] = set()
    for entry in sorted(home.iterdir(), key=lambda path: path.name):
        part = entry.name
        if part.startswith("stocklab.db"):
            part = "database"
        elif entry.is_file():
            part = "other"
        parts[part] = parts.get(part, 0) + _bytes_of(entry, seen)
    disk = shutil.disk_usage(home)
    return HomeUse(parts=parts, free_bytes=disk.free, disk_bytes=disk.total)


def _bytes_of(path: Path, seen: set[tuple[int, int]]) -> int:
    files = [path]
    if path.is_dir() and not path.is_symlink():
        files = [Path(folder) / name for folder, _folders, names in os.walk(path) for name in names]
    total = 0
    for file in files:
        try:
            found = file.lstat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            total += found.st_blocks * 512
    return total
