"""Work over rows in blocks: two threads (the kernels release the GIL), a cancel check between blocks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from stocklab.backtest.result import ShouldCancel
from stocklab.errors import Cancelled

__all__ = ["check_cancel", "in_blocks"]

_ROWS = 256
_THREADS = 2


def check_cancel(should_cancel: ShouldCancel | None) -> None:
    """Raise where a person asked to stop.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so.
    """
    if should_cancel is not None and should_cancel():
        raise Cancelled("The backtest was cancelled; nothing is stored.")


def in_blocks(
    first: int, last: int, work: Callable[[int, int], None], *, should_cancel: ShouldCancel | None = None
) -> None:
    """Call ``work(start, stop)`` on blocks of [first, last), which must not depend on each other.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so before a block.
    """
    blocks = [(start, min(start + _ROWS, last)) for start in range(first, last, _ROWS)]
    if len(blocks) < 2:
        for start, stop in blocks:
            check_cancel(should_cancel)
            work(start, stop)
        return

    def guarded(block: tuple[int, int]) -> None:
        check_cancel(should_cancel)
        work(*block)

    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        futures = [pool.submit(guarded, block) for block in blocks]
        try:
            for future in futures:
                future.result()
        except Cancelled:
            pool.shutdown(cancel_futures=True)
            raise
