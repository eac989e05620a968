"""Market data: the store of snapshots, imports, panels, quality and status."""

from stocklab.data.importing import ImportReport, import_paths
from stocklab.data.panel_open import open_panel
from stocklab.data.query import bars, connect, search_symbols
from stocklab.data.snapshot import UNCHANGED, Partitions, Snapshot, Unchanged
from stocklab.data.status import status
from stocklab.data.store import Store

__all__ = [
    "UNCHANGED",
    "ImportReport",
    "Partitions",
    "Snapshot",
    "Store",
    "Unchanged",
    "bars",
    "connect",
    "import_paths",
    "open_panel",
    "search_symbols",
    "status",
]
