"""Which executor a command uses: `CWS_EXECUTOR` = `local` (default), `ray` (a cluster of its own), `ray:HOST:PORT`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from ablations.executors.local import LocalPool
from ablations.executors.port import Executor
from ablations.executors.serial import Serial

VARIABLE = "CWS_EXECUTOR"
_ADDRESS = re.compile(r"ray:(?P<address>[A-Za-z0-9_.-]+:[0-9]{1,5})")


class ExecutorChoiceError(ValueError):
    """A name that is no executor's."""


@contextmanager
def executor(workers: int, choice: str | None = None) -> Iterator[Executor]:
    """The executor that `choice` (default: the environment's) names, closed afterwards. One local worker is this
    process: another would only have to be started. Raises ExecutorChoiceError, ExecutorError."""
    choice = choice or os.environ.get(VARIABLE) or "local"
    address = _ADDRESS.fullmatch(choice)
    if choice == "local" and workers == 1:
        yield Serial()
    elif choice == "local":
        with LocalPool(workers) as pool:
            yield pool
    elif choice == "ray" or address is not None:
        from ablations.executors.ray import LOCAL, RayPool

        with RayPool(address["address"] if address is not None else LOCAL, workers=workers) as cluster:
            yield cluster
    else:
        raise ExecutorChoiceError(f"{VARIABLE} is {choice!r}, which is no executor; give local, ray or ray:HOST:PORT")
