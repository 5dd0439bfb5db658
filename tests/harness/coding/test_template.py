"""What a new module starts from: complete, under its own name, and nothing that is there is touched."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

from harness.coding.template import PATTERNS, TemplateError, new_module
from modules.contract import STAGES
from modules.registry import MODULE_FILES
from skills.registry import load_skill
from tests.harness.planted import CHECKOUT

SUMMARY = "Something that a test made."
KINDS = [*((stage, "copy") for stage in STAGES), ("feature", "python")]


@pytest.mark.parametrize(("stage", "kind"), KINDS, ids=[f"{s}-{k}" for s, k in KINDS])
def test_a_new_module_is_complete_and_bears_its_name(stage: str, kind: str, tmp_path: Path) -> None:
    files = new_module(stage, "made_up", SUMMARY, kind=kind, root=CHECKOUT)  # type: ignore[arg-type]
    folder = f"modules/{stage}/made_up/"
    names = {path.removeprefix(folder) for path in files if path.startswith(folder)}
    assert names >= {*MODULE_FILES, "__init__.py"}
    for path, body in files.items():
        text = body.decode()
        assert f"modules.{stage}.{PATTERNS[stage]}" not in text, path
        if path.endswith(".py"):
            ast.parse(text)
    contract = files[f"{folder}contract.py"].decode()
    assert 'name="made_up"' in contract and f'summary="{SUMMARY}"' in contract
    assert yaml.safe_load(files[f"{folder}settings.yaml"])
    assert len(files[f"{folder}README.md"].decode().splitlines()) <= 40
    skill = next(path for path in files if path.startswith("skills/"))
    (tmp_path / Path(skill).parent.name).mkdir()
    written = tmp_path / Path(skill).parent.name / "SKILL.md"
    written.write_bytes(files[skill])
    assert load_skill(written).module == f"{stage}/made_up"


REFUSED = [
    ("risk", "made_up", SUMMARY, "copy", "stage is 'risk'"),
    ("feature", "Made", SUMMARY, "copy", "name is 'Made'"),
    ("feature", "../made", SUMMARY, "copy", "name is"),
    ("feature", "contract", SUMMARY, "copy", "name is 'contract'"),
    ("feature", "coded", SUMMARY, "python", "name is 'coded'"),
    ("feature", "expression", SUMMARY, "copy", "is there already"),
    ("size", "made_up", SUMMARY, "python", "kind python is for feature"),
    ("feature", "made_up", 'x"; import os #.', "python", "summary is"),
    ("feature", "made_up", "$name of it all.", "python", "summary is"),
    ("feature", "made_up", "two\nlines of it.", "python", "summary is"),
]


@pytest.mark.parametrize(("stage", "name", "summary", "kind", "said"), REFUSED)
def test_what_cannot_be_a_module_is_refused_with_the_rule(
    stage: str, name: str, summary: str, kind: str, said: str
) -> None:
    with pytest.raises(TemplateError, match=said):
        new_module(stage, name, summary, kind=kind, root=CHECKOUT)  # type: ignore[arg-type]
