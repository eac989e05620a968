"""The shape of the packages: what each one exports, and that the import contracts name them all."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import stocklab


def _modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(stocklab.__path__, "stocklab.")]
    # Alembic runs its scripts in its own context, Streamlit its main script in a session.
    return sorted(name for name in found if ".migrations" not in name and name != "stocklab.ui.main")


def _public(module: ModuleType) -> set[str]:
    """Names of a module that are its own: not modules, and not what it merely imports from elsewhere."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", module.__name__).startswith(module.__name__)
    }


@pytest.mark.parametrize("name", _modules())
def test_exports_are_what_the_module_holds(name: str):
    module = importlib.import_module(name)
    exported = getattr(module, "__all__", None)
    if exported is None:
        assert not hasattr(module, "__path__") or _public(module) == set(), f"{name} exports names without __all__"
        return
    assert len(exported) == len(set(exported))  # the linter keeps them sorted (RUF022)
    assert [item for item in exported if not hasattr(module, item)] == []
    if hasattr(module, "__path__"):
        assert _public(module) - set(exported) - {"annotations"} == set()


def test_the_import_contracts_name_every_package(root: Path):
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = " ".join(next(contract["layers"] for contract in contracts if contract["type"] == "layers"))
    named = set(re.findall(r"stocklab\.(\w+)", layers))
    there = {module.name for module in pkgutil.iter_modules(stocklab.__path__)} - {"__main__"}
    assert there - named == set(), "not in the layers of pyproject.toml"
