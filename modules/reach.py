"""Which first-party files a Python file can reach by import: what its meaning, or its machine code, is made of.

Reads source text only; nothing is imported. Light, because it runs before the first kernel does.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from modules.workspace import CHECKOUT

FIRST_PARTY = ("modules", "skills", "traces", "ablations", "harness", "supervisor", "cli")


class ReachError(ValueError):
    """An import of a first-party module whose name is worked out at run time: its file could change what the
    importer does without changing its identity."""


def reached(paths: Iterable[Path], *, packages: bool = True, root: Path = CHECKOUT) -> set[Path]:
    """`paths` and every first-party file that they can reach, wherever in a file the import stands.

    `packages=False` leaves out the `__init__` of packages that an import only passes through: they run, but no name
    that the importer uses comes from them. Raises ReachError.
    """
    files = set(paths)
    queue = list(files)
    while queue:
        path = queue.pop()
        stat = path.stat()
        for found in _imports(path, packages, root, stat.st_mtime_ns, stat.st_size):
            if found not in files:
                files.add(found)
                queue.append(found)
    return files


@functools.lru_cache(maxsize=4096)
def _imports(path: Path, packages: bool, root: Path, mtime_ns: int, size: int) -> tuple[Path, ...]:
    """First-party files that `path` imports."""
    del mtime_ns, size  # they are the cache key: a changed file is parsed again
    return tuple(sorted({f for dotted in _names(path, root) for f in _files(dotted, packages, root)}))


def _names(path: Path, root: Path) -> Iterator[str]:
    """Dotted names that `path` imports; `from a import b` gives `a.b`, which may be a module or a name in `a`."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            base = _absolute(path, node, root)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and _is_import_call(node) and node.args:
            name = node.args[0]
            if not isinstance(name, ast.Constant) or not isinstance(name.value, str) or name.value.startswith("."):
                raise ReachError(
                    f"{path.relative_to(root)}:{node.lineno} imports by a name made at run time, so what it reads "
                    "cannot be part of the module's identity; write the import out"
                )
            yield name.value


def _absolute(path: Path, node: ast.ImportFrom, root: Path) -> str:
    """The dotted name an import starts from, with the dots of a relative one resolved."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parent.parts
    return ".".join((*package[: len(package) - node.level + 1], *(node.module or "").split("."))).rstrip(".")


def _is_import_call(node: ast.Call) -> bool:
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in ("import_module", "__import__", "run_path", "run_module", "spec_from_file_location")


def _files(dotted: str, packages: bool, root: Path) -> list[Path]:
    """The file that a dotted name leads to, after the `__init__` of each package on its way if `packages`."""
    parts = dotted.split(".")
    if parts[0] not in FIRST_PARTY:
        return []
    found: list[Path] = []
    for end in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:end])
        found += [c for c in (base.with_suffix(".py"), base / "__init__.py") if c.is_file()]
    return found if packages else found[-1:]
