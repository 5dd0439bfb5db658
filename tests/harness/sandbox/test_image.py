"""What goes into a container's image, and which engine may run it."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from harness.sandbox import image
from harness.sandbox.docker import unfit
from harness.sandbox.elf import needed
from harness.sandbox.view import interpreter_view, system_view

ROOT = Path(__file__).resolve().parents[3]
FIT = {
    "MemoryLimit": True, "PidsLimit": True, "CpuCfsQuota": True, "OSType": "linux",
    "SecurityOptions": ["name=seccomp,profile=default"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, ""),
        ({"MemoryLimit": False}, "MemoryLimit"),
        ({"PidsLimit": False, "CpuCfsQuota": False}, "PidsLimit, CpuCfsQuota"),
        ({"SecurityOptions": ["name=apparmor"]}, "seccomp"),
        ({"SecurityOptions": None}, "seccomp"),
        ({"OSType": "windows"}, "windows"),
    ],
)
def test_an_engine_that_cannot_hold_a_program_is_refused(change: dict[str, object], says: str) -> None:
    found = unfit({**FIT, **change})
    assert (says in found) if says else found == ""


def test_the_image_has_what_modules_import() -> None:
    """On import, that is: what a function imports when it is called is for the engine's own process.

    The live system is not for sandboxes: no stage imports it (pyproject.toml), and what agents write has no broker.
    """
    asked = set()
    live = ROOT / "modules" / "live"
    every = [p for part in ("modules", "traces", "skills") for p in (ROOT / part).rglob("*.py")]
    for path in [p for p in every if not p.is_relative_to(live)]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                asked |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                asked.add(str(node.module).partition(".")[0])
    ours = {"modules", "traces", "skills", "harness"}
    outside = asked - set(sys.stdlib_module_names) - ours
    assert {"numpy", "polars", "pydantic"} <= outside
    there = {str(file).partition("/")[0].removesuffix(".py") for d in image.distributions() for file in d.files or ()}
    assert outside <= there, f"add to harness/sandbox/image.py: {sorted(outside - there)}"


def test_the_tag_is_of_the_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    first = image.tag()
    assert first == image.tag.__wrapped__()
    monkeypatch.setattr(importlib.metadata.Distribution, "version", "9.9.9")
    assert image.tag.__wrapped__() != first


def test_what_a_binary_needs(tmp_path: Path) -> None:
    interpreter = next(source for source, path in interpreter_view().trees if path.startswith("/opt/python/bin"))
    names = needed(interpreter)
    assert any(name.startswith(("libc.so", "libpython")) for name in names)
    assert any(name.startswith("/") and "ld-" in name for name in names), "the loader"
    (tmp_path / "text").write_text("no binary")
    (tmp_path / "short").write_bytes(b"\x7fELF\x02\x01")
    assert needed(tmp_path / "text") == needed(tmp_path / "short") == ()


def test_nothing_of_a_person_is_shown() -> None:
    paths = [path for view in (interpreter_view(), system_view()) for _, path in view.trees]
    assert all(path.startswith(("/opt/", "/lib", "/usr/", "/etc/ld.so.cache")) for path in paths)
    home = os.path.expanduser("~")  # noqa: PTH111
    shown = [source for view in (interpreter_view(), system_view()) for source, _ in view.trees]
    assert not [source for source in shown if Path(home).is_relative_to(source)]
    assert not [source for source in shown if ROOT.is_relative_to(source)]
