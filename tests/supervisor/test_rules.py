"""Which paths a request may change: a row a case, and what the refusal says ("" = allowed)."""

from __future__ import annotations

import pytest

from harness.repository import Change
from supervisor.rules import patch_path_refusals, record_folder, research_path_refusals

ID = "a1b2"
SETTINGS = Change("modules/size/rank_neutral/settings.yaml", "M", "100644", "100644")
RECORD = Change(f"ablations/records/{ID}/record.json", "A", "000000", "100644")
SKILL = Change("skills/reversal/SKILL.md", "M", "100644", "100644")


def change(path: str, status: str = "M", old: str = "100644", new: str = "100644") -> Change:
    return Change(path, status, "000000" if status == "A" else old, new)


PATCHES = [
    ([SETTINGS, RECORD], ""),
    ([SETTINGS, RECORD, change(f"ablations/records/{ID}/report.png", "A")], ""),
    ([SKILL, RECORD], ""),
    ([change("skills/reversal/notes.md", "A"), RECORD], ""),
    ([RECORD], "this is no patch"),
    ([], "this is no patch"),
    ([SETTINGS, change("modules/engine/risk.py")], "never code"),
    ([SETTINGS, change("modules/size/rank_neutral/run.py")], "never code"),
    ([SETTINGS, change("modules/size/rank_neutral/contract.py")], "never code"),
    ([SETTINGS, change("modules/size/rank_neutral/acceptance.py")], "never code"),
    ([SETTINGS, change("modules/contract.py")], "never code"),
    ([SETTINGS, change("ablations/gate.py")], "never code"),
    ([SETTINGS, change("ablations/paths.py")], "never code"),
    ([SETTINGS, change("supervisor/rules.py")], "never code"),
    ([SETTINGS, change("tests/test_x.py")], "tests or CI"),
    ([SETTINGS, change("tests/test_new.py", "A")], "tests or CI"),
    ([SETTINGS, change(".ci/run")], "tests or CI"),
    ([SETTINGS, change("pipeline.yaml")], "never code"),
    ([SETTINGS, change("modules/size/../engine/settings.yaml")], "never code"),
    ([SETTINGS, change("skills/registry.py")], "never code"),
    ([SETTINGS, change("skills/reversal/evil.py", "A")], "never code"),
    ([SETTINGS, change("ablations/records/other/record.json", "A")], "never code"),
    ([SETTINGS, change(f"ablations/records/{ID}/record.json", "M")], "added once and never edited"),
    ([SETTINGS, change(f"ablations/records/{ID}/record.json", "D", new="000000")], "added once and never edited"),
    ([change(SETTINGS.path, "D", new="000000")], "changes what is there"),
    ([change(SETTINGS.path, "A")], "changes what is there"),
    ([change(SETTINGS.path, "T", new="120000")], "plain file"),
    ([change(SETTINGS.path, new="100755")], "plain file"),
    ([SETTINGS, change(f"ablations/records/{ID}/link", "A", new="120000")], "plain file"),
    ([SETTINGS, change(f"ablations/records/{ID}/sub", "A", new="160000")], "plain file"),
]


@pytest.mark.parametrize("changes, says", PATCHES)
def test_patch_paths(changes: list[Change], says: str) -> None:
    refused = patch_path_refusals(changes, ID)
    assert (says in " ".join(refused)) if says else refused == []


RUN = change("modules/feature/my_idea/run.py", "A")
RESEARCH = [
    ([RUN, change("modules/feature/my_idea/settings.yaml", "A")], [], ""),
    ([RUN, change("skills/my-idea/SKILL.md", "A")], [], ""),
    ([], [], "no module is added"),
    ([change("skills/my-idea/SKILL.md", "A")], [], "no module is added"),
    ([RUN, change("modules/feature/other/run.py", "A")], [], "one module at a time"),
    ([RUN], ["modules/feature/my_idea/README.md"], "is there already"),
    ([change("modules/feature/expression/run.py")], [], "never changes"),
    ([RUN, change("skills/reversal/SKILL.md")], [], "never changes"),
    ([RUN, change("modules/feature/expression/run.py", "D", new="000000")], [], "never changes"),
    ([RUN, change("modules/engine/risk.py")], [], "nothing else"),
    ([RUN, change("modules/engine/new.py", "A")], [], "nothing else"),
    ([RUN, change("modules/feature/__init__.py", "A")], [], "nothing else"),
    ([RUN, change("modules/size/mine/run.py", "A")], [], "nothing else"),
    ([RUN, change("skills/new.py", "A")], [], "nothing else"),
    ([RUN, change("skills/my-idea/run.py", "A")], [], "nothing else"),
    ([RUN, change("tests/x.py", "A")], [], "nothing else"),
    ([RUN, change(".ci/run", "A")], [], "nothing else"),
    ([RUN, change("modules/feature/my_idea/data", "A", new="120000")], [], "plain file"),
    ([RUN, change("modules/feature/my_idea/go.sh", "A", new="100755")], [], "plain file"),
]


@pytest.mark.parametrize("changes, present, says", RESEARCH)
def test_research_paths(changes: list[Change], present: list[str], says: str) -> None:
    refused = research_path_refusals(changes, present)
    assert (says in " ".join(refused)) if says else refused == []


def test_a_record_folder_of_a_longer_id_is_another_folder() -> None:
    other = change(f"{record_folder(ID)[:-1]}c/record.json", "A")
    assert patch_path_refusals([SETTINGS, other], ID)
