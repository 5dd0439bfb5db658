"""What a program in a sandbox sees of this machine: the interpreter, its libraries, and the system's shared objects.

Each at a fixed place, so that nothing inside tells where it lies here. No folder of a person, no configuration, no
command of the system, and not this project: a job brings the files that it needs.
"""

from __future__ import annotations

import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.sandbox.port import SHOWN, TEMPORARY, WORK, Job

PYTHON, VENV, STEPS = "/opt/python", "/opt/venv", "/opt/sandbox"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
INTERPRETER = f"{PYTHON}/bin/{_VERSION}"
_SYSTEM = ("/lib", "/lib64", "/lib32", "/libx32", "/usr/lib", "/usr/lib64")
_PLAIN_FILES = ("/etc/ld.so.cache", "/usr/share/zoneinfo")


@dataclass(frozen=True)
class View:
    """Trees of this machine by their path inside, links (target, path) and small texts (path, text)."""

    trees: tuple[tuple[Path, str], ...]
    empty: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    texts: tuple[tuple[str, str], ...]


@cache
def interpreter_view() -> View:
    """The interpreter that runs this and the packages that it can import, at PYTHON and VENV."""
    paths = sysconfig.get_paths()
    standard, packages = Path(paths["stdlib"]).resolve(), Path(paths["purelib"]).resolve()
    trees = [
        (Path(getattr(sys, "_base_executable", sys.executable)).resolve(), INTERPRETER),
        (standard, f"{PYTHON}/lib/{_VERSION}"),
        (packages, f"{VENV}/lib/{_VERSION}/site-packages"),
    ]
    library = Path(str(sysconfig.get_config_var("LIBDIR") or "")) / str(sysconfig.get_config_var("INSTSONAME") or "")
    if ".so" in library.name and library.is_file():
        trees.append((library.resolve(), f"{PYTHON}/lib/{library.name}"))
    hidden = (f"{PYTHON}/lib/{_VERSION}/site-packages",) if (standard / "site-packages").is_dir() else ()
    links = ((INTERPRETER, f"{VENV}/bin/python"), (INTERPRETER, f"{VENV}/bin/python3"))
    settings = f"home = {PYTHON}/bin\ninclude-system-site-packages = false\nversion = {sys.version.split()[0]}\n"
    return View(tuple(trees), hidden, links, ((f"{VENV}/pyvenv.cfg", settings),))


@cache
def system_view() -> View:
    """The system's shared objects, where the loader looks for them."""
    trees: list[tuple[Path, str]] = []
    links: list[tuple[str, str]] = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            links.append((str(path.readlink()), name))
        elif path.is_dir():
            trees.append((path, name))
    trees += [(Path(name), name) for name in _PLAIN_FILES if Path(name).exists()]
    return View(tuple(trees), (), tuple(links), ())


def environment(job: Job) -> dict[str, str]:
    """The whole environment of the program."""
    base = {
        "PATH": f"{VENV}/bin",
        "HOME": WORK,
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "TMPDIR": f"{WORK}/{TEMPORARY}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "LD_LIBRARY_PATH": f"{PYTHON}/lib",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": str(job.limits.cpus),
        "POLARS_MAX_THREADS": str(job.limits.cpus),
        "NUMBA_NUM_THREADS": str(job.limits.cpus),
    }
    return base | dict(job.environment)


def shown(job: Job) -> tuple[tuple[Path, str], ...]:
    return tuple((folder.resolve(), f"{SHOWN}/{name}") for name, folder in sorted(job.shown.items()))
