"""What can be wrong with a request about publications."""

from __future__ import annotations

from stocklab.errors import InputError

__all__ = ["CloneRefused", "NothingToShow", "PublicationNotFound"]


class PublicationNotFound(InputError):
    """Nobody published it, or it is not shown any more."""

    exit_code = 1

    def __init__(self, publication_id: str) -> None:
        self.publication_id = publication_id
        super().__init__(f"There is no publication {publication_id[:40]!r}. Hint: the list of shared strategies.")


class NothingToShow(InputError):
    """The rules to publish have no finished run that could be shown."""

    exit_code = 1

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f"Version {version} of {name!r} has no finished run to show. Hint: open it in the builder and run it first."
        )


class CloneRefused(InputError):
    """The rules are hidden or gone, so there is nothing to copy."""

    exit_code = 1

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name!r} cannot be cloned: {why}.")
