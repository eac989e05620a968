"""Arrays written past the page cache read back as numpy wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stocklab.data.direct_io import save_array

CHUNK = 8 << 20
BLOCK = 4096


def same_file(path: Path, values: np.ndarray) -> None:
    save_array(path, values)
    found = np.load(path, allow_pickle=False)
    assert (found.dtype, found.shape) == (values.dtype, values.shape)
    np.testing.assert_array_equal(found, values)


@settings(max_examples=60, deadline=None)
@given(values=hnp.arrays(st.sampled_from(["f8", "f4", "u1", "?", "i8"]), hnp.array_shapes(min_dims=0, min_side=0)))
def test_any_array(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    same_file(tmp_path_factory.mktemp("a") / "x.npy", values)


@pytest.mark.parametrize("size", [CHUNK - BLOCK - 1, CHUNK - BLOCK, CHUNK - BLOCK + 1, 2 * CHUNK, 2 * CHUNK + 17])
def test_sizes_around_the_chunks(size: int, tmp_path: Path) -> None:
    same_file(tmp_path / "x.npy", np.random.default_rng(size).integers(0, 255, size, dtype=np.uint8))


def test_an_older_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    same_file(path, np.arange(100_000.0))
    same_file(path, np.arange(3.0))
    assert path.stat().st_size == BLOCK + 24


def test_a_file_system_without_direct_writing(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir():
        pytest.skip("no memory file system here")
    path = shared / f"stocklab-{tmp_path.name}.npy"
    try:
        same_file(path, np.arange(5000.0))
    finally:
        path.unlink(missing_ok=True)
