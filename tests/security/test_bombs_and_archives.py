"""Files that mean harm: JSON and archives that grow, paths that lead out, tables that become formulas elsewhere."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from patience import promptly

from stocklab.data.csv_text import csv_of, inert
from stocklab.errors import BrokenInput, DocumentError
from stocklab.operations.archive import extract
from stocklab.strategy import parse_document
from stocklab.strategy.json_text import MAX_BYTES, MOST_FAULTS
from stocklab.strategy.screen import parse_screen, parse_screen_or_strategy
from stocklab.strategy.sweep import parse_sweep

RULE = '{"id": "A", "formula": "close>1"}'


def inside(entry: str) -> str:
    return f'{{"name": "x", "entry": {entry}}}'


def repeated(item: str, beside: int = 300) -> str:
    """As many of an item as fit into the largest file that is read."""
    return ",".join([item] * ((MAX_BYTES - beside) // (len(item) + 1)))


NUMBERED = [f'"exit{number}": 1' for number in range(12_000)]
JSON_BOMBS = {
    "one key often": "{" + repeated('"a":1') + "}",
    "many keys, one twice": "{" + ",".join([*NUMBERED, NUMBERED[0]]) + "}",
    "many unknown keys": '{"name": "x",' + ",".join(NUMBERED) + "}",
    "one endless key": f'{{"name": "x", "{"entry" * 50_000}": 1}}',
    "brackets": "[" * 200_000,
    "braces": '{"a":' * 40_000,
    "a deep list in a field": inside("[" * 39 + "1" + "]" * 39),
    "digits": f'{{"name": "x", "schema_version": {"9" * 250_000}}}',
    "a huge exponent": '{"name": "x", "sizing": {"max_holdings": 1e999999}}',
    "not a number": f'{{"name": "x", "universe": {{"symbols": [{repeated("NaN")}]}}}}',
    "infinity": '{"name": "x", "sizing": {"max_holdings": -Infinity}}',
    "many wrong symbols": f'{{"name": "x", "universe": {{"symbols": [{repeated(chr(34) + "x" + chr(34))}]}}}}',
    "many wrong choices": f'{{"name": "x", "universe": {{"markets": [{repeated(chr(34) + "kospii" + chr(34))}]}}}}',
    "one endless choice": f'{{"name": "x", "universe": {{"markets": ["{"kospi" * 50_000}"]}}}}',
    "many rules": inside(f'{{"rules": [{repeated(RULE)}]}}'),
    "many wrong rules": inside(f'{{"rules": [{repeated(RULE.replace("close", "clsoeclsoe"))}]}}'),
    "many columns": f'{{"columns": [{repeated(chr(34) + "clsoe" + chr(34))}]}}',
    "many own factors": '{"name": "x", "factors": ['
    + ",".join(f'{{"id": "f{number}", "formula": "{"+".join(["close"] * 30)}"}}' for number in range(1_200))
    + "]}",
    "own factors that double": json.dumps(
        {
            "name": "x",
            "factors": [{"id": "f0", "formula": "close"}]
            + [{"id": f"f{number}", "formula": "+".join([f"f{number - 1}"] * 20)} for number in range(1, 20)],
            "entry": {"rules": [{"id": "A", "formula": "f19>1"}]},
        }
    ),
    "an endless formula": inside(f'{{"rules": [{{"id": "A", "formula": "{"(" * 250_000}"}}]}}'),
    "endless logic": inside(f'{{"rules": [{RULE}], "logic": "{"not " * 60_000}A"}}'),
    "months": f'{{"name": "x", "market_filter": {{"months": [{repeated("1")}]}}}}',
    "too large": inside(f'{{"rules": [{RULE}], "note": "{"x" * MAX_BYTES}"}}'),
    "no UTF-8": b"\xff\xfe\x00",
    "half a pair": '{"name": "\\ud800", "entry": {"rules": []}}',
    "nothing": b"",
}


@pytest.mark.parametrize("bomb", JSON_BOMBS)
@pytest.mark.parametrize("read", [parse_document, parse_screen_or_strategy, parse_screen, parse_sweep])
def test_a_document_of_any_making_is_judged_promptly_and_said_briefly(bomb: str, read: Callable[[Any], Any]) -> None:
    """One that took three minutes kept everybody waiting: pages and jobs share the processors."""
    with promptly(), pytest.raises(DocumentError) as caught:
        read(JSON_BOMBS[bomb])
    assert 1 <= len(caught.value.faults) <= 3 * MOST_FAULTS
    assert len(str(caught.value)) < 60_000


def test_what_is_left_out_of_a_long_report_is_still_refused() -> None:
    """The hundredth fault hides none of the first, and a sound document after so much noise is still read."""
    rules = [{"id": "A", "formula": "close>1"}]
    document = {"name": "x", "entry": {"rules": rules}, **{f"odd{number}": 1 for number in range(500)}}
    with pytest.raises(DocumentError) as caught:
        parse_document(json.dumps(document))
    assert len(caught.value.faults) == MOST_FAULTS
    assert {fault.code for fault in caught.value.faults} == {"unknown_key"}
    assert parse_document({"name": "x", "entry": {"rules": rules}}).name == "x"


# Archives: a backup comes back from wherever it was kept.


def member(name: str, content: bytes = b"x", **how: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in how.items():
        setattr(info, key, value)
    return info, content


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes], manifest: Any = None) -> Path:
    with (
        path.open("wb") as file,
        pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd") as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
        if manifest is not None:
            text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
            tar.addfile(member("backup.json", text)[0], io.BytesIO(text))
    return path


EMPTY = {"files": {}, "version": 1, "program": "x", "revision": "0001", "database": "sqlite", "scope": "full"}
EMPTY |= {"created_utc": "2026-11-28", "snapshot_id": None}


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/tmp/evil", "..", ".", "", "//etc/evil", "a/b/../../../evil", "./../evil"],
)
def test_no_member_lands_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    into = tmp_path / "inner" / "home"
    into.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BrokenInput, match="no whole backup"):
        extract(archive(tmp_path / "a.tar.zst", member(name), manifest=EMPTY), into)
    assert [path for path in sorted(tmp_path.rglob("*")) if path.suffix != ".zst"] == before
    assert not Path("/tmp/evil").exists()


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, ".."),
        (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "first"),
        (tarfile.FIFOTYPE, ""),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.DIRTYPE, ""),
        (tarfile.GNUTYPE_SPARSE, ""),
    ],
)
def test_members_that_are_no_files_are_refused(tmp_path: Path, kind: bytes, target: str) -> None:
    into = tmp_path / "home"
    into.mkdir()
    link = member("link", b"", type=kind, linkname=target)
    packed = archive(tmp_path / "a.tar.zst", member("first"), link, member("link/inside"), manifest=EMPTY)
    with pytest.raises(BrokenInput, match="no whole backup"):
        extract(packed, into)
    assert not any(path.is_symlink() for path in into.rglob("*"))
    assert not (into / "link").exists()


def test_a_name_given_twice_overwrites_nothing(tmp_path: Path) -> None:
    into = tmp_path / "home"
    into.mkdir()
    with pytest.raises(BrokenInput):
        extract(archive(tmp_path / "a.tar.zst", member("a", b"1"), member("a", b"2"), manifest=EMPTY), into)


def test_a_small_file_does_not_fill_the_disk(tmp_path: Path) -> None:
    into = tmp_path / "home"
    into.mkdir()
    packed = archive(tmp_path / "a.tar.zst", *(member(f"zeros{n}", bytes(16 << 20)) for n in range(8)), manifest=EMPTY)
    assert packed.stat().st_size < 100_000
    with pytest.raises(BrokenInput, match="more than 400 times its size"):
        extract(packed, into)
    assert sum(path.stat().st_size for path in into.rglob("*")) <= 65 << 20


def test_a_head_that_is_held_in_memory_is_bounded(tmp_path: Path) -> None:
    into = tmp_path / "home"
    into.mkdir()
    info, content = member("a")
    info.pax_headers = {"comment": "x" * (8 << 20)}
    with pytest.raises(BrokenInput, match="head of a member is too long"):
        extract(archive(tmp_path / "a.tar.zst", (info, content), manifest=EMPTY), into)


@pytest.mark.parametrize(
    "manifest",
    [b"[" * 100_000, b"null", b"[]", b'{"files": []}', b'{"files": {}}', b"\xff", b'{"files": {"gone": {}}}', None],
)
def test_a_list_of_files_that_is_none_is_said(tmp_path: Path, manifest: bytes | None) -> None:
    into = tmp_path / "home"
    into.mkdir()
    with pytest.raises(BrokenInput, match="no whole backup"):
        extract(archive(tmp_path / "a.tar.zst", member("a"), manifest=manifest), into)


# Tables that leave for a spreadsheet.

FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "＝1", "=cmd|' /C calc'!A0")


def test_no_text_of_anybody_becomes_a_formula() -> None:
    plain = ("삼성전자", "a=b", "005930", "", "1-2")
    frame = pl.DataFrame({"name": [*FORMULAS, *plain], "=HYPERLINK(1)": range(len(FORMULAS) + len(plain))})
    frame = frame.with_columns(change=pl.lit(-1.5), kind=pl.Series(["=x"] * frame.height, dtype=pl.Categorical))
    written = csv_of(frame)
    assert written.startswith(b"\xef\xbb\xbf")
    read = pl.read_csv(io.BytesIO(written), infer_schema_length=0)
    assert read.columns[:2] == ["name", "'=HYPERLINK(1)"]
    assert read["name"].to_list()[: len(FORMULAS)] == [f"'{text}" for text in FORMULAS]
    assert [text or "" for text in read["name"].to_list()[len(FORMULAS) :]] == list(plain)
    assert set(read["change"]) == {"-1.5"}  # a number stays one
    assert set(read["kind"]) == {"'=x"}
    assert all(inert(inert(text)) == inert(text) for text in (*FORMULAS, *plain))
