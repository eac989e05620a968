"""Documents say what is there: settings, pages, dependencies, endpoints, links."""

from __future__ import annotations

import ast
import json
import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from pydantic import SecretStr

from stocklab.data.datasets import DATASETS
from stocklab.settings import PREFIX, Settings

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")

# The table of endpoints in the requirements: router -> number of endpoints.
ROUTERS = {
    "auth": 9,
    "backtest": 14,
    "strategy": 7,
    "auto_trading": 14,
    "community": 16,
    "kiwoom": 7,
    "market_quote": 7,
    "news": 9,
    "company_info": 2,
    "factors": 3,
    "universes": 3,
    "user_stock": 6,
    "chat_history": 5,
    "investment_strategy": 2,
    "backtest_sse": 2,
}


def _rows(text: str) -> list[list[str]]:
    """Cells of every table row, separators left out."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    return [row for row in rows if not re.fullmatch(r":?-+:?", row[0])]


def _slug(heading: str) -> str:
    """Anchor of a heading: lower case, punctuation dropped, blanks to hyphens."""
    plain = re.sub(r"[`*]", "", LINK.sub(r"\1", heading)).strip().lower()
    kept = (char for char in plain if char in " -_" or unicodedata.category(char)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def _anchors(text: str) -> set[str]:
    return {_slug(line.lstrip("#")) for line in FENCE.sub("", text).splitlines() if line.startswith("#")}


def dead_links(document: Path) -> list[str]:
    """Relative links of a Markdown file whose file or heading does not exist."""
    text = CODE.sub("", FENCE.sub("", document.read_text(encoding="utf-8")))
    dead = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in _anchors(file.read_text(encoding="utf-8"))
        ):
            dead.append(f"{document.name}: {target}")
    return dead


def test_no_link_is_dead(files: tuple[Path, ...]):
    documents = [path for path in files if path.suffix == ".md"]
    assert documents
    assert [link for document in documents for link in dead_links(document)] == []


def test_the_link_check_finds_dead_ones(tmp_path: Path):
    (tmp_path / "there.md").write_text("# A heading, `coded`\n\n## 성과 지표\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-heading-coded) [c](there.md#성과-지표) [d](https://example.com) `[x](y.md)`\n"
        "[e](gone.md) [f](there.md#no-such) ![g](gone.png)\n",
        encoding="utf-8",
    )
    assert dead_links(page) == ["page.md: gone.md", "page.md: there.md#no-such", "page.md: gone.png"]


def _shown(default: object) -> str:
    if default is None or default in ((), ""):
        return "(none)"
    if isinstance(default, dict):
        return json.dumps(default)
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default.get_secret_value() if isinstance(default, SecretStr) else default)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_table_of_settings_is_the_code(root: Path, name: str):
    rows = {row[0].strip("`"): row for row in _rows((root / "docs/settings.md").read_text(encoding="utf-8"))}
    variable = PREFIX + name.upper()
    assert variable in rows, f"{variable} has no row in docs/settings.md"
    assert rows[variable][1].strip("`") == _shown(Settings.model_fields[name].default)


def test_no_setting_is_documented_that_does_not_exist(root: Path):
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"STOCKLAB_TEST_DATA"}
    rows = _rows((root / "docs/settings.md").read_text(encoding="utf-8"))
    named = {row[0].strip("`") for row in rows if row[0].startswith("`STOCKLAB_")}
    assert named - known == set()


def test_every_dataset_is_described(root: Path):
    rows = {row[0].strip("`"): row for row in _rows((root / "docs/data.md").read_text(encoding="utf-8"))}
    assert {name: ", ".join(spec.schema) for name, spec in DATASETS.items()} == {
        name: rows.get(name, ["", ""])[1] for name in DATASETS
    }


def test_every_page_is_described(root: Path):
    text = (root / "docs/pages.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (root / "pages").glob("*.py") if path.name != "__init__.py")
    assert pages
    assert [name for name in pages if f"`pages/{name}`" not in text] == []
    assert [name for name in re.findall(r"`pages/(\w+\.py)`", text) if name not in pages] == []


def test_every_package_is_on_the_map(root: Path):
    text = (root / "docs/architecture.md").read_text(encoding="utf-8")
    packages = sorted(path.parent.name for path in (root / "stocklab").glob("*/__init__.py"))
    assert [name for name in packages if f"`stocklab/{name}/`" not in text] == []


def test_every_direct_dependency_has_its_reason(root: Path):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.match(r"[A-Za-z0-9_.-]+", item).group().lower() for item in wanted}  # type: ignore[union-attr]
    rows = _rows((root / "docs/dependencies.md").read_text(encoding="utf-8"))
    told = {row[0].strip("`").lower() for row in rows if row[0].startswith("`")}
    assert names - told == set(), "without a line in docs/dependencies.md"
    assert told - names == set(), "in docs/dependencies.md but not in pyproject.toml"


def test_the_map_of_endpoints_is_whole(root: Path):
    rows = [row for row in _rows((root / "docs/endpoints.md").read_text(encoding="utf-8")) if row[0].isdigit()]
    assert [int(row[0]) for row in rows] == list(range(1, 107))
    counts = {router: sum(row[1] == router for row in rows) for router in ROUTERS}
    assert counts == ROUTERS
    assert sum(ROUTERS.values()) == 106


def _public_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


@pytest.mark.parametrize("document", ["endpoints.md", "requirements-status.md", "architecture.md", "pages.md"])
def test_code_that_documents_name_exists(root: Path, document: str):
    """`stocklab.package.module.name` and `stocklab/...` in back quotes are checked against the tree."""
    text = (root / "docs" / document).read_text(encoding="utf-8")
    wrong = [
        path
        for path in re.findall(r"`((?:stocklab|pages|tests|benchmarks)/[\w/.-]*)`", text)
        if not (root / path).exists()
    ]
    for dotted in re.findall(r"`(stocklab(?:\.\w+)+)(?:\(\))?`", text):
        parts = dotted.split(".")
        depth = next(
            (n for n in range(len(parts), 0, -1) if (root / "/".join(parts[:n])).with_suffix(".py").is_file()), None
        )
        if depth is None:
            package = root / "/".join(parts)
            exists = package.is_dir() or parts[-1] in _public_names(package.parent / "__init__.py")
        else:
            known = _public_names((root / "/".join(parts[:depth])).with_suffix(".py"))
            exists = set(parts[depth:]) <= known
        if not exists:
            wrong.append(dotted)
    assert wrong == []


def test_the_changelog_knows_the_version(root: Path):
    version = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(
        rf"^## \[?{re.escape(version)}\b", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_readme_names_the_targets_that_exist(root: Path):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    texts = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"`make ([a-z-]+)`", text.read_text(encoding="utf-8"))}
    assert {"run", "test"} <= named
    assert named - targets == set()


def test_every_test_named_in_the_documents_exists(root: Path) -> None:
    named = {
        match
        for document in sorted((root / "docs").glob("*.md"))
        for match in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", document.read_text(encoding="utf-8"))
    }
    assert len(named) >= 25
    missing = [
        f"{file}::{name}"
        for file, name in sorted(named)
        if f"def {name}(" not in (root / file).read_text(encoding="utf-8")
    ]
    assert missing == []
