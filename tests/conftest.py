"""Every test has a workspace home of its own; compiled kernels and calendars, slow to make, are shared."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parent.parent

# Before any kernel module is imported: the cache directory is read once.
os.environ["NUMBA_CACHE_DIR"] = str(CHECKOUT / ".cws" / "kernels")
os.environ["CWS_CALENDARS"] = str(CHECKOUT / ".cws" / "calendars")
os.environ["MPLBACKEND"] = "Agg"
os.environ.pop("CWS_LLM", None)

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Test files, and what they import, are compiled once for all runs of a checkout, also where the environment keeps
    no byte code: that is half of the time before the first test. Not while tests run: they change files and import
    them again within the second that a stamp of byte code tells apart."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        return (yield)
    finally:
        sys.dont_write_bytecode = before


def pytest_collection_finish() -> None:
    """What is imported stays: no collection of garbage need look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """`CWS_HOME` of this test."""
    path = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CWS_HOME", str(path))
    yield path
