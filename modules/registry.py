"""Find modules on disk and load them with the settings in force and the digest of their code."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml
from pydantic import ValidationError

from modules.canonical import digest_bytes, digest_mapping
from modules.contract import STAGES, Contract, Module, ModuleOutputs, ModuleSettings, Stage, ports_of
from modules.reach import ReachError, reached
from modules.workspace import CHECKOUT

MODULE_FILES = ("contract.py", "settings.py", "settings.yaml", "run.py", "acceptance.py", "README.md")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class RegistryError(ValueError):
    """A module that is missing, incomplete, or whose settings are out of bounds; says which and how to mend it."""


def module_folder(stage: str, name: str, root: Path = CHECKOUT) -> Path:
    """`modules/<stage>/<name>/` below `root`."""
    return root / "modules" / stage / name


def list_modules(root: Path = CHECKOUT) -> list[tuple[Stage, str]]:
    """Every module folder, in pipeline order."""
    folders = {stage: sorted((root / "modules" / stage).glob("*/contract.py")) for stage in STAGES}
    return [(stage, path.parent.name) for stage, paths in folders.items() for path in paths]


def settings_path(stage: str, name: str) -> Path:
    """The file that holds a module's settings in force."""
    return module_folder(stage, name) / "settings.yaml"


def load_module(stage: str, name: str) -> Module:
    """Load one module.

    Raises RegistryError naming the file or the setting at fault.
    """
    if stage not in STAGES:
        raise RegistryError(f"stage {stage!r} does not exist; the stages are {', '.join(STAGES)}")
    if not _NAME.fullmatch(name):
        raise RegistryError(f"module name {name!r} is not lower case letters, digits and _ starting with a letter")
    folder = module_folder(stage, name)
    if not folder.is_dir():
        have = ", ".join(n for s, n in list_modules() if s == stage) or "none"
        raise RegistryError(f"module {stage}/{name} does not exist; {stage} has: {have}")
    missing = [f for f in MODULE_FILES if not (folder / f).exists()]
    if missing:
        raise RegistryError(
            f"module {stage}/{name} lacks {', '.join(missing)}; see modules/contract.py for what a module holds"
        )
    digest = _code_as_loaded(stage, name)
    dotted = f"modules.{stage}.{name}"
    declared = importlib.import_module(f"{dotted}.contract")
    contract = cast(Contract, declared.CONTRACT)
    if (contract.stage, contract.name) != (stage, name):
        raise RegistryError(
            f"{dotted}.contract declares {contract.stage}/{contract.name}; its folder says {stage}/{name}"
        )
    outputs = cast(type[ModuleOutputs], declared.Outputs)
    ports_of(declared.Inputs), ports_of(outputs)
    return Module(
        contract=contract,
        inputs=declared.Inputs,
        outputs=outputs,
        settings=read_settings(stage, name),
        run=importlib.import_module(f"{dotted}.run").run,
        accept=importlib.import_module(f"{dotted}.acceptance").accept,
        code_digest=digest,
    )


# Digest of each module's code when this process first imported it.
_LOADED: dict[tuple[str, str], str] = {}


def _code_as_loaded(stage: str, name: str) -> str:
    """The digest of the code that this process runs, though a file may have changed on disk since: today's digest
    would vouch for what yesterday's code computes."""
    if (stage, name) not in _LOADED:
        _LOADED[stage, name] = code_digest(stage, name)
    return _LOADED[stage, name]


def settings_model(stage: str, name: str) -> type[ModuleSettings]:
    """The module's `Settings` class; its JSON schema carries the bounds."""
    return cast(type[ModuleSettings], importlib.import_module(f"modules.{stage}.{name}.settings").Settings)


def read_settings(stage: str, name: str, text: str | None = None) -> ModuleSettings:
    """Settings in force (or those in `text`), validated. Raises RegistryError naming setting, value and rule."""
    path = settings_path(stage, name)
    try:
        values = _parsed(path.read_text() if text is None else text) or {}
    except yaml.YAMLError as error:
        raise RegistryError(f"{path.relative_to(CHECKOUT)} is not YAML: {error}") from error
    if not isinstance(values, Mapping):
        raise RegistryError(f"{path.relative_to(CHECKOUT)} must hold `setting: value` lines")
    return validate_settings(stage, name, values)


@functools.lru_cache(maxsize=512)
def _parsed(text: str) -> object:
    """A file of settings is read for every task and rarely changes; whoever gets the values copies them."""
    return yaml.safe_load(text)


def validate_settings(stage: str, name: str, values: Mapping[str, object]) -> ModuleSettings:
    """`values` as the module's settings. Raises RegistryError naming each setting, value and rule."""
    try:
        return settings_model(stage, name).model_validate(dict(values))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'settings'} = {e.get('input')!r}: {e['msg']}" for e in error.errors()
        )
        raise RegistryError(f"settings of {stage}/{name}: {problems}") from error


def code_digest(stage: str, name: str) -> str:
    """Digest of the module's folder and of every first-party file that its code can reach by import.

    Settings and README are not code. A changed shared kernel changes the digest of all who use it.
    """
    folder = module_folder(stage, name)
    return reach_digest(*(p for p in folder.rglob("*.py") if "__pycache__" not in p.parts))


def reach_digest(*paths: Path) -> str:
    """Digest of Python files, of every first-party file they can reach by import, and of the data files
    beside any of these, which their code may read.

    Raises RegistryError for an import by a name made at run time.
    """
    try:
        files = reached(paths, root=CHECKOUT)
    except ReachError as error:
        raise RegistryError(str(error)) from error
    for folder in {p.parent for p in files}:
        files.update(p for p in folder.iterdir() if p.is_file() and _is_data(p))
    return digest_mapping({p.relative_to(CHECKOUT).as_posix(): digest_bytes(p.read_bytes()) for p in files})


def _is_data(path: Path) -> bool:
    """Neither code, nor words, nor settings (which have a digest of their own), nor what an editor leaves."""
    return path.suffix not in (".py", ".pyc", ".pyi", ".md") and path.name != "settings.yaml" and path.name[0] != "."
