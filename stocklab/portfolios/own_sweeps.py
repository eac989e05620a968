"""The sweeps of an owner. What they computed is shared by the home; who sees their rules is not."""

from __future__ import annotations

from stocklab.errors import ResultNotFound
from stocklab.portfolios.access import Access, HeldKind
from stocklab.research.sweep_store import StoredSweep, SweepStore

__all__ = ["OwnSweeps"]


class OwnSweeps:
    """Stored sweeps, by owner; in a home without accounts all of them."""

    def __init__(self, store: SweepStore, access: Access) -> None:
        self._store = store
        self._access = access

    def recent(self, owner_id: str, limit: int = 50) -> list[StoredSweep]:
        """The owner's sweeps that are still stored, the newest first."""
        if self._access.everything:
            return self._store.recent(limit)
        found = []
        for identity in self._access.held(owner_id, HeldKind.SWEEP, limit=limit):
            try:
                found.append(self._store.load(identity))
            except ResultNotFound:  # removed to make room
                continue
        return found

    def get(self, owner_id: str, identity: str) -> StoredSweep:
        """A sweep of the owner.

        Raises
        ------
        ResultNotFound
            None of that id is stored, or it is not the owner's.
        """
        self._access.require(owner_id, identity)
        return self._store.load(identity)

    def delete(self, owner_id: str, identity: str) -> None:
        """Take a sweep off the owner's list; it is forgotten when nobody else has it on theirs.

        Raises
        ------
        ResultNotFound
            As `get`.
        InputError
            It is running.
        """
        self.get(owner_id, identity)
        if self._access.let_go(owner_id, identity):
            self._store.delete(identity)
