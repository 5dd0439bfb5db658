"""`cws --help` stays fast: the modules it imports are on a list, and the table of commands is true."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.lazy import load
from cli.table import COMMANDS

CHECKOUT = Path(__file__).resolve().parents[2]

# Beside the standard library. Whoever adds a name here pays for it in every call of every command.
ALLOWED = {"cli", "typer", "shellingham", "annotated_doc", "typing_extensions"}

_DUMP = """
import sys
from cli.main import main
code = main(sys.argv[1:])
names = {name.partition(".")[0] for name in sys.modules}
foreign = {n for n in names if n not in sys.stdlib_module_names and not n.startswith("_") and n != "sitecustomize"}
print("IMPORTED", *sorted(foreign), sep=",")
sys.exit(code)
"""


def _dump(*argv: str) -> tuple[int, set[str], str]:
    # -S -E would hide the environment's own start-up files; the path is set by hand instead.
    paths = os.pathsep.join([str(CHECKOUT), *(p for p in sys.path if p.endswith("site-packages"))])
    done = subprocess.run(
        [sys.executable, "-S", "-c", _DUMP, *argv],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": paths, "PATH": os.environ["PATH"]},
        timeout=600,
        check=False,
    )
    imported = next(line for line in done.stdout.splitlines() if line.startswith("IMPORTED"))
    return done.returncode, set(imported.split(",")[1:]) - {""}, done.stdout


def test_help_imports_only_what_is_allowed() -> None:
    code, imported, text = _dump("--help")
    assert code == 0
    assert imported <= ALLOWED, f"--help imports {sorted(imported - ALLOWED)}; import it where it is used"
    assert [c.name for c in COMMANDS if f"  {c.name} " not in text] == []


def test_help_imports_no_command_file() -> None:
    probe = (
        "import sys; from cli.main import main; main(['--help']); "
        "print([m for m in sys.modules if m.startswith('cli.commands')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, cwd=CHECKOUT, timeout=600, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def leaves_of(command: Any) -> list[Any]:
    below = list(getattr(command, "commands", {}).values())
    return [leaf for sub in below for leaf in leaves_of(sub)] or [command]


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda e: e.name)
def test_each_row_of_the_table_loads_and_every_leaf_takes_json(entry: object) -> None:
    command = load(entry)  # type: ignore[arg-type]
    for leaf in leaves_of(command):
        assert any("--json" in option.opts for option in leaf.params), f"{entry} {leaf.name} lacks --json"
        assert leaf.help, f"{entry} {leaf.name} lacks help"


def test_the_table_and_the_files_are_the_same_set() -> None:
    files = {p.stem for p in (CHECKOUT / "cli" / "commands").glob("*.py")} - {"__init__"}
    assert files == {c.file for c in COMMANDS}
