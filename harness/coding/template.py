"""The files of a new module: those of a module that is there under another name, or of one written in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Literal

from modules.contract import STAGES
from modules.registry import MODULE_FILES, module_folder
from modules.workspace import CHECKOUT

TEMPLATES = Path(__file__).resolve().parent / "templates"
PATTERNS: Mapping[str, str] = {
    "ingest": "files",
    "clean": "quality",
    "feature": "expression",
    "backtest": "bars",
    "size": "rank_neutral",
    "execute": "next_bar",
}
"""The module of each stage that a new one starts from."""
CODED = ("contract.py", "settings.py", "settings.yaml", "run.py", "acceptance.py")
Kind = Literal["copy", "python"]
_NAME = re.compile(r"[a-z][a-z0-9_]{1,62}")
_RESERVED = frozenset({"contract", "coded", "evaluation", "family", "library", "settings"})


class TemplateError(ValueError):
    """A module that cannot be made: which field, which value, which rule, what to do."""


def new_module(stage: str, name: str, summary: str, *, kind: Kind = "copy", root: Path = CHECKOUT) -> dict[str, bytes]:
    """Path to bytes, of the module's folder and of its skill. Raises TemplateError."""
    _check(stage, name, summary, kind, root)
    words = {
        "stage": stage,
        "name": name,
        "summary": summary,
        "skill": skill_name(stage, name),
        "description": json.dumps(f"{summary} Use when {stage}/{name} is chosen, compared or patched."),
    }
    folder = f"modules/{stage}/{name}"
    files = {f"{folder}/__init__.py": f'"""{summary}"""\n'}
    files[f"{folder}/README.md"] = _filled("README.md", words)
    files[f"skills/{words['skill']}/SKILL.md"] = _filled("SKILL.md", words)
    if kind == "python":
        files |= {f"{folder}/{file}": _filled(file, words) for file in CODED}
    else:
        files |= {f"{folder}/{p.name}": _renamed(p, stage, name, summary) for p in _pattern_files(stage, root)}
    return {path: text.encode() for path, text in sorted(files.items())}


def skill_name(stage: str, name: str) -> str:
    """The skill that goes with a module."""
    return f"module-{stage}-{name.replace('_', '-')}"[:64].rstrip("-")


def _check(stage: str, name: str, summary: str, kind: Kind, root: Path) -> None:
    if stage not in STAGES:
        raise TemplateError(f"stage is {stage!r}; choose one of {', '.join(STAGES)}")
    if not _NAME.fullmatch(name) or name in _RESERVED or "__" in name or name.endswith("_"):
        raise TemplateError(f"name is {name!r}; take 2 to 63 of a-z, 0-9 and single _, beginning with a letter")
    if module_folder(stage, name, root).exists() or (root / "modules" / stage / f"{name}.py").exists():
        raise TemplateError(f"{stage}/{name} is there already; take another name")
    if kind == "python" and stage != "feature":
        raise TemplateError(f"kind python is for feature modules; a {stage} module starts as a copy: leave it out")
    if not re.fullmatch(r"[^\"\\$\n\r]{8,200}\.", summary) or not summary.isprintable():
        raise TemplateError(
            f"summary is {summary[:60]!r}; one sentence of 9 to 201 characters that ends with a full stop, without "
            'quotes ("), backslashes or $'
        )


def _pattern_files(stage: str, root: Path) -> list[Path]:
    folder = module_folder(stage, PATTERNS[stage], root)
    skipped = ("README.md", "__init__.py")
    found = sorted(p for p in folder.iterdir() if p.suffix in (".py", ".yaml") and p.name not in skipped)
    lacking = set(MODULE_FILES) - {p.name for p in found} - {"README.md"}
    if lacking:
        raise TemplateError(f"{stage}/{PATTERNS[stage]}, which a copy starts from, lacks {', '.join(sorted(lacking))}")
    return found


def _renamed(path: Path, stage: str, name: str, summary: str) -> str:
    pattern = PATTERNS[stage]
    text = path.read_text(encoding="utf-8").replace(f"modules.{stage}.{pattern}", f"modules.{stage}.{name}")
    text = text.replace(f'name="{pattern}"', f'name="{name}"')
    return re.sub(r'( summary=)"[^"]*"', lambda m: f'{m[1]}"{summary}"', text)


def _filled(file: str, words: Mapping[str, str]) -> str:
    return Template((TEMPLATES / f"{file}.template").read_text(encoding="utf-8")).substitute(words)
