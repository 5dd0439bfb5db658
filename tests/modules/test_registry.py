"""Loading modules: what is missing or out of bounds is named; the code digest covers what the code can reach."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import modules.registry as registry
from modules.registry import RegistryError, code_digest, load_module, read_settings


@pytest.mark.parametrize(
    ("stage", "name", "message"),
    [
        ("sizing", "rank_neutral", "stage 'sizing' does not exist; the stages are ingest, clean"),
        ("size", "kelly", "module size/kelly does not exist; size has: rank_neutral, vol_target"),
        ("size", "../execute", "is not lower case letters"),
        ("size", "Rank", "is not lower case letters"),
    ],
)
def test_what_does_not_exist_is_named(stage: str, name: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        load_module(stage, name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_trade_band: 0.5", "no_trade_band = 0.5: Input should be less than or equal to"),
        ("weight_cap: 0.06", "weight_cap = 0.06: Input should be less than or equal to 0.05"),
        ("no_trade_band: wide", "no_trade_band = 'wide': Input should be a valid number"),
        ("no_trade_band: .nan", "no_trade_band = nan: Input should be"),
        ("bands: 0.1", "bands = 0.1: Extra inputs are not permitted"),
        ("- 1", "must hold `setting: value` lines"),
        ("a: [", "is not YAML"),
    ],
)
def test_settings_out_of_bounds_name_setting_value_and_rule(text: str, message: str) -> None:
    with pytest.raises(RegistryError, match=message):
        read_settings("size", "rank_neutral", text)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the modules that a test may change."""
    shutil.copytree(registry.CHECKOUT / "modules", tmp_path / "modules", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(registry, "CHECKOUT", tmp_path)
    monkeypatch.setattr(registry, "module_folder", lambda stage, name: tmp_path / "modules" / stage / name)
    return tmp_path


def test_a_shared_kernel_changes_the_digest_of_those_who_reach_it(copy: Path) -> None:
    before = {m: code_digest(*m) for m in (("feature", "expression"), ("size", "rank_neutral"), ("clean", "quality"))}
    with (copy / "modules" / "signal" / "kernels" / "rolling.py").open("a") as file:
        file.write("\n# a changed kernel\n")
    after = {m: code_digest(*m) for m in before}
    assert {m for m in before if before[m] != after[m]} == {("feature", "expression")}


def test_settings_and_readme_are_not_code(copy: Path) -> None:
    before = code_digest("size", "rank_neutral")
    folder = copy / "modules" / "size" / "rank_neutral"
    for name in ("settings.yaml", "README.md"):
        with (folder / name).open("a") as file:
            file.write("\n# words\n")
    assert code_digest("size", "rank_neutral") == before
    with (folder / "run.py").open("a") as file:
        file.write("\n# code\n")
    assert code_digest("size", "rank_neutral") != before


def test_an_incomplete_folder_says_what_it_lacks(copy: Path) -> None:
    (copy / "modules" / "size" / "rank_neutral" / "acceptance.py").unlink()
    with pytest.raises(RegistryError, match=r"module size/rank_neutral lacks acceptance\.py"):
        load_module("size", "rank_neutral")


def test_the_digest_is_that_of_the_code_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file changed after its import: what runs is the old code, and must not be remembered as the new."""
    loaded = load_module("size", "rank_neutral").code_digest
    monkeypatch.setattr(registry, "code_digest", lambda stage, name: "f" * 64)
    assert load_module("size", "rank_neutral").code_digest == loaded


IMPORTS = [
    "from . import helper",
    "from .helper import factor",
    "from .. import shared",
    "from ..shared import factor",
    "import modules.size.shared as other",
    "from modules.size import shared",
    "from modules.size.shared import *",
    "def late():\n    from modules.size.shared import factor",
    "import importlib\n\n\ndef late():\n    return importlib.import_module('modules.size.shared')",
    "__import__('modules.size.shared')",
]


@pytest.mark.parametrize("line", IMPORTS)
def test_every_way_to_import_is_followed(copy: Path, line: str) -> None:
    folder = copy / "modules" / "size" / "rank_neutral"
    for path in (folder.parent / "shared.py", folder / "helper.py"):
        path.write_text("factor = 1\n")
    with (folder / "run.py").open("a") as file:
        file.write(f"\n{line}\n")
    before = code_digest("size", "rank_neutral")
    changed = folder / "helper.py" if "helper" in line else folder.parent / "shared.py"
    changed.write_text("factor = 2\n")
    assert code_digest("size", "rank_neutral") != before


def test_a_package_that_passes_a_name_on_is_followed(copy: Path) -> None:
    package = copy / "modules" / "size" / "tables"
    package.mkdir()
    (package / "__init__.py").write_text("from modules.size.tables.inner import factor\n")
    (package / "inner.py").write_text("factor = 1\n")
    with (copy / "modules" / "size" / "rank_neutral" / "run.py").open("a") as file:
        file.write("\nfrom modules.size.tables import factor\n")
    before = code_digest("size", "rank_neutral")
    (package / "inner.py").write_text("factor = 2\n")
    assert code_digest("size", "rank_neutral") != before


@pytest.mark.parametrize("place", ["size/rank_neutral/table.yaml", "size/factors.csv", "engine/limits.json"])
def test_a_data_file_beside_reached_code_counts(copy: Path, place: str) -> None:
    before = code_digest("size", "rank_neutral")
    (copy / "modules" / place).write_text("1\n")
    first = code_digest("size", "rank_neutral")
    (copy / "modules" / place).write_text("2\n")
    assert len({before, first, code_digest("size", "rank_neutral")}) == 3


def test_an_import_by_a_name_made_at_run_time_is_refused(copy: Path) -> None:
    with (copy / "modules" / "size" / "rank_neutral" / "run.py").open("a") as file:
        file.write("\nimport importlib\n\nimportlib.import_module('modules.size.' + 'shared')\n")
    with pytest.raises(RegistryError, match=r"rank_neutral/run\.py:\d+ imports by a name made at run time"):
        code_digest("size", "rank_neutral")


def test_every_module_has_an_identity() -> None:
    assert len({code_digest(*module) for module in registry.list_modules()}) == len(registry.list_modules())
