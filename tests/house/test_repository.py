"""What may not be in the repository: machine paths, market data, secrets, half-done work."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TEXT = {
    ".py",
    ".md",
    ".toml",
    ".json",
    ".yaml",
    ".yml",
    ".sh",
    ".po",
    ".csv",
    ".txt",
    ".css",
    ".js",
    ".mako",
    ".ini",
    "",
}
# Spelled in pieces, so that this file does not name them itself.
HOME_FOLDERS = re.compile("/(?:" + "|".join(["ro" + "ot", "home/" + r"\w+", "wo" + "rk", "User" + r"s/\w+"]) + ")/")
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|HA" + "CK|XX" + "X)\\b|Not" + "ImplementedError")
MARKET_DATA = re.compile(
    r"(marcap|krx_(daily|index|etf|adj|delisted|sectors)|dart_|upbit_krw|sample_krx)[\w-]*\.(parquet|csv)$"
)
SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b")
LARGEST = 1_000_000


def _texts(files: tuple[Path, ...]) -> list[Path]:
    return [path for path in files if path.suffix in TEXT and path.name not in {"uv.lock"}]


def test_no_path_of_a_machine(files: tuple[Path, ...], root: Path):
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()[:80]}"
        for path in _texts(files)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if HOME_FOLDERS.search(line)
    ]
    assert found == []


def test_no_market_data(files: tuple[Path, ...], root: Path):
    names = [str(path.relative_to(root)) for path in files]
    assert [name for name in names if MARKET_DATA.search(name) or name.endswith(".parquet")] == []
    assert [name for name in names if name.startswith("data/") and name != "data/README.md"] == []


def test_nothing_is_large(files: tuple[Path, ...], root: Path):
    assert [str(path.relative_to(root)) for path in files if path.stat().st_size > LARGEST] == []


def test_no_secret(files: tuple[Path, ...], root: Path):
    found = [path for path in _texts(files) if SECRETS.search(path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(root)) for path in found] == []


def test_nothing_is_left_unfinished(files: tuple[Path, ...], root: Path):
    code = [path for path in files if path.suffix == ".py" and "tests" not in path.relative_to(root).parts]
    assert code
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in code
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body: no signature, docstring or nested function (those are counted for themselves)."""
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if documented and len(function.body) > 1 else function.body
    nested = sum(
        (inner.end_lineno or 0) - inner.lineno + 1
        for inner in body
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return (function.end_lineno or 0) - body[0].lineno + 1 - nested


def test_functions_stay_readable(files: tuple[Path, ...], root: Path):
    """No function of the product has a body of more than 80 lines."""
    long = []
    for path in files:
        where = path.relative_to(root)
        if path.suffix != ".py" or where.parts[0] not in {"stocklab", "pages", "app.py"}:
            continue
        long += [
            f"{where}:{node.lineno} {node.name}: {_body_lines(node)} lines"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body_lines(node) > 80
        ]
    assert long == []


@pytest.mark.parametrize("target", ["build", "final"])
def test_the_image_copies_what_exists(root: Path, target: str):
    """No container engine is needed to see that a COPY would fail."""
    sources: dict[str, list[str]] = {}
    stage = ""
    for line in (root / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"FROM \S+ AS (\w+)", line):
            stage = match.group(1)
        elif line.startswith("COPY ") and "--from=" not in line:
            words = [word for word in line.split()[1:] if not word.startswith("--")]
            sources.setdefault(stage, []).extend(words[:-1])
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").split()
    assert sources[target]
    for source in sources[target]:
        assert (root / source).exists(), source
        assert source.rstrip("/") not in ignored, f"{source} is in .dockerignore"
