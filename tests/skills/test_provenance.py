"""A shipped text says which ablation shipped it, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from skills.lint import faults_of
from skills.provenance import shipped
from skills.registry import FOLDER, load_skill

HEAD = "---\nname: demo\ndescription: A demo.\nmetadata:\n"
BODY = '---\n\n# Demo\n\n  version: "9"\n'
STAMP = '  version: "{}"\n  provenance: ablation abc123\n'
TEXT = HEAD + '  kind: drafting\n  version: "7"\n  provenance: by hand,\n    at length\n' + BODY
STAMPED = HEAD + STAMP.format(4) + "  kind: drafting\n" + BODY

CASES = [
    ("over version 3", TEXT, TEXT.replace('"7"', '"3"'), STAMPED),
    ("a new skill", TEXT, None, STAMPED.replace('"4"', '"1"')),
    ("before without a version", TEXT, "no frontmatter", STAMPED.replace('"4"', '"1"')),
    ("no metadata", "---\nname: demo\n---\nbody\n", None, "---\nname: demo\n---\nbody\n"),
    ("no frontmatter", "body\n---\nmetadata:\n", TEXT, "body\n---\nmetadata:\n"),
    ("no version yet", HEAD + "  kind: module\n---\n", None, HEAD + STAMP.format(1) + "  kind: module\n---\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "before", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_stamps(text: str, before: str | None, expected: str) -> None:
    made = shipped(text, before, "abc123")
    assert made == expected
    assert shipped(made, before, "abc123") == made


def test_a_shipped_skill_is_still_a_good_one(tmp_path: Path) -> None:
    before = (FOLDER / "momentum" / "SKILL.md").read_text()
    path = tmp_path / "momentum" / "SKILL.md"
    path.parent.mkdir()
    path.write_text(shipped(before.replace("## Traps", "## Traps\n\nMore."), before, "abc123"))
    skill, old = load_skill(path), load_skill(FOLDER / "momentum" / "SKILL.md")
    assert list(faults_of(skill)) == []
    assert int(skill.metadata["version"]) == int(old.metadata["version"]) + 1
    assert skill.metadata["provenance"] == "ablation abc123"
    assert (skill.phrases, skill.drafting) == (old.phrases, old.drafting)
