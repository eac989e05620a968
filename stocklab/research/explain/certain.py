"""What the rules exclude, said aloud: an explanation that does not follow from the run is given to nobody."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["certain"]

Value = TypeVar("Value")


def certain(value: Value | None, otherwise: str) -> Value:
    """The value, which the rules of the simulator make certain.

    Raises
    ------
    AssertionError
        It is None: a fault of the program, never of the input.

    >>> certain(3, "never")
    3
    """
    if value is None:
        raise AssertionError(f"The run was not understood: {otherwise}.")
    return value
