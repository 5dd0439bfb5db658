"""The loader refuses what breaks the format, and every shipped skill holds to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from skills_ref.validator import validate

from modules.registry import list_modules
from skills.registry import FOLDER, SkillError, drafting_skills, load_skill, load_skills, skills, skills_of_module

GOOD = "---\nname: demo\ndescription: Does things. Use in tests.\n---\n\n# Demo\n"
BLOCK = """
```yaml drafting
event: demo
about: a demo
moves: false
claim: high
horizon_bars: {default: 5, low: 1, high: 10}
recipes:
  - name: plain
    expr: "returns(close, {h})"
```
"""


def write(folder: Path, text: str, name: str = "demo") -> Path:
    path = folder / name / "SKILL.md"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


REFUSED = [
    ("no frontmatter", "# Demo\n", "no frontmatter"),
    ("no name", GOOD.replace("name: demo\n", ""), "name is None"),
    ("no description", GOOD.replace("description: Does things. Use in tests.\n", ""), "description is None"),
    ("empty description", GOOD.replace("Does things. Use in tests.", "''"), "description is ''"),
    ("long description", GOOD.replace("Does things.", "x" * 1_025), "at most 1024"),
    ("unknown key", GOOD.replace("name: demo", "name: demo\nauthor: me"), "unknown key author"),
    ("name is not the folder", GOOD.replace("name: demo", "name: other"), "differs from the folder"),
    ("upper case", GOOD.replace("name: demo", "name: Demo"), "must be 1 to 64"),
    ("two hyphens", GOOD.replace("name: demo", "name: de--mo"), "must be 1 to 64"),
    ("number in metadata", GOOD.replace("name: demo", "name: demo\nmetadata:\n  version: 1"), "quote it"),
    ("metadata is a list", GOOD.replace("name: demo", "name: demo\nmetadata: [a]"), "must map"),
    ("long body", GOOD + "line\n" * 500, "fewer than 500"),
    ("bad yaml", GOOD.replace("name: demo", "name: [demo"), "not YAML"),
    ("block with unknown key", GOOD + BLOCK.replace("event: demo", "event: demo\ncolour: red"), "colour"),
    ("two blocks", GOOD + BLOCK + BLOCK, "2 drafting blocks"),
    ("default outside its range", GOOD + BLOCK.replace("default: 5", "default: 50"), "must lie between"),
    ("unknown place", GOOD + BLOCK.replace("{h})", "{window})"), "only {h}, {s} and {g}"),
    ("a bomb in the metadata", GOOD.replace("name: demo", "name: demo\nmetadata:\n  z: [&a [x, x], *a, *a]"), "anchor"),
    ("a bomb in the block", GOOD + BLOCK.replace("about: a demo", "about: &a [x]\nwords: {high: [*a]}"), "anchor"),
    ("brackets without end", GOOD.replace("name: demo", "name: " + "[" * 50_000), "nested deeper"),
    ("a file without end", GOOD + "x" * 200_000, "131,072 bytes"),
    ("a state cannot revert", GOOD + BLOCK.replace("claim: high", "claim: reverts"), "no price move"),
]


@pytest.mark.parametrize(("text", "message"), [(t, m) for _, t, m in REFUSED], ids=[n for n, _, _ in REFUSED])
def test_refuses(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SkillError, match="SKILL") as caught:
        load_skill(write(tmp_path, text))
    assert message in str(caught.value)


def test_reads_a_good_skill(tmp_path: Path) -> None:
    skill = load_skill(write(tmp_path, GOOD + BLOCK))
    assert (skill.name, skill.title, dict(skill.metadata)) == ("demo", "Demo", {})
    assert skill.drafting is not None and skill.drafting.recipes[0].expr == "returns(close, {h})"


def test_digest_follows_the_bytes(tmp_path: Path) -> None:
    one = load_skill(write(tmp_path / "a", GOOD))
    same = load_skill(write(tmp_path / "b", GOOD))
    other = load_skill(write(tmp_path / "c", GOOD + "\n"))
    assert one.digest == same.digest != other.digest


def test_folder_without_skills_is_empty(tmp_path: Path) -> None:
    assert load_skills(tmp_path) == ()


def test_not_utf8_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.write_bytes(b"---\nname: demo\xff\n")
    with pytest.raises(SkillError, match="UTF-8"):
        load_skill(path)


@pytest.mark.parametrize("name", [s.name for s in skills()])
def test_shipped_skill_passes_the_reference_linter(name: str) -> None:
    assert validate(FOLDER / name) == []


def test_enough_drafting_skills_with_an_event_each_and_a_source() -> None:
    drafting = drafting_skills(skills())
    assert len(drafting) >= 60
    for skill, block in drafting:
        assert block.phrases or block.event == "return", f"{skill.name} has no phrases"
    assert len({block.event for _, block in drafting}) >= 60


def test_every_hand_written_module_has_a_skill() -> None:
    for stage, name in list_modules():
        assert skills_of_module(f"{stage}/{name}", skills()), f"no skill has metadata.module {stage}/{name}"


def test_every_module_named_by_a_skill_exists() -> None:
    existing = {f"{stage}/{name}" for stage, name in list_modules()}
    assert {s.module for s in skills() if s.module is not None} <= existing
