"""A Ray cluster: as many machines as it has. An extra: `pip install 'cws[ray]'`.

All of a cluster is on one side of the trust line: Ray ships functions and jobs as pickles, and whoever reaches its
ports can run code on it. So it belongs on loopback or on a network of its own, and this engine never opens it to any
other. Its machines share the workspace's folder (data and artifacts by digest) and the checkout's path.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ablations.executors.machine import VISIBLE
from ablations.executors.port import (
    MOST_ATTEMPTS,
    ExecutorError,
    Job,
    Result,
    Room,
    ground,
    label,
    needs_of,
    refuse_other_ground,
    refuse_the_unfit,
)
from ablations.executors.worker import told

if TYPE_CHECKING:
    from types import ModuleType

LOCAL = "local"
"""Instead of an address: a cluster of this process's own, on loopback, gone with it."""


class RayPool:
    """Jobs on the cluster at `address` (`host:port`), or on one of one's own.

    Ray begins a job whose worker or machine died again, `MOST_ATTEMPTS` times in all. Raises ExecutorError where Ray
    is not installed or nobody answers at the address.
    """

    def __init__(self, address: str = LOCAL, *, workers: int = 2) -> None:
        self._ray = _ray(loopback=address == LOCAL or address.startswith(("127.", "localhost:")))
        if self._ray.is_initialized():
            raise ExecutorError("this process is on a Ray cluster already, and can be on one; close that first")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options: dict[str, Any] = (
            # "local" said to Ray too: without it, it would join whatever cluster this machine last had.
            {"address": "local", "num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            if address == LOCAL
            else {"address": address}
        )
        try:
            self._ray.init(
                **options,
                namespace="cws",
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(_import_paths()), "POLARS_MAX_THREADS": "1"}},
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            remedy = "start one with `ray start --head --node-ip-address=127.0.0.1`"
            raise ExecutorError(f"Ray at {address} cannot be used: {error}; {remedy}") from error
        self._call = self._ray.remote(_call)

    @property
    def room(self) -> Room:
        """What the largest machine of the cluster has: no job is spread over two."""
        alive = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return Room(
            cpus=int(max((r.get("CPU", 0.0) for r in alive), default=0.0)),
            memory_mb=int(max((r.get("memory", 0.0) for r in alive), default=0.0)) // 2**20,
            gpus=int(max((r.get("GPU", 0.0) for r in alive), default=0.0)),
        )

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job], /) -> list[Result]:
        """See Executor."""
        refuse_the_unfit(jobs, self.room, "the largest machine of the Ray cluster")
        waiting = []
        for job in jobs:
            needs = needs_of(job)
            limits = {"memory": needs.memory_mb * 2**20} if needs.memory_mb else {}
            call = self._call.options(
                num_cpus=needs.cpus,
                num_gpus=needs.gpus,
                max_retries=MOST_ATTEMPTS - 1,
                retry_exceptions=False,
                **limits,
            )
            waiting.append(call.remote(function, job, needs.cpus, needs.gpus, ground()))
        results = []
        try:
            for at, reference in enumerate(waiting):
                results.append(self._answer(reference, label(jobs[at], at)))
        except BaseException:
            for reference in waiting[len(results) :]:
                self._ray.cancel(reference, force=True)
            raise
        return results

    def close(self) -> None:
        """Leave the cluster; one's own ends."""
        self._ray.shutdown()

    def _answer(self, reference: object, name: str) -> Any:
        from ray.exceptions import RayError

        try:
            worked, answer = self._ray.get(reference)
        except RayError as error:
            raise ExecutorError(
                f"{name}: its worker died {MOST_ATTEMPTS} times, or the cluster is gone: {error}"
            ) from error
        if not worked:
            raise answer
        return answer

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _call(function: Callable[[Any], Any], job: object, cpus: int, gpus: int, theirs: str) -> tuple[bool, object]:
    """On the worker: the same answer as `ablations.executors.worker.serve` gives."""
    os.environ["CWS_THREADS"] = str(cpus)
    if not gpus:
        os.environ[VISIBLE] = ""
    try:
        refuse_other_ground(theirs)
        return True, function(job)
    except Exception as error:  # noqa: BLE001 - as in `worker.serve`
        return False, told(error)


def _import_paths() -> list[str]:
    from modules.workspace import CHECKOUT

    return [str(CHECKOUT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]


def _ray(*, loopback: bool) -> ModuleType:
    if loopback:
        # Ray turns 127.0.0.1 into the machine's own address, listens there for everybody, and does not find a head that
        # keeps to loopback. This switch, read when Ray is imported, lets an address be what it says.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError as error:
        raise ExecutorError("Ray is not installed; `pip install 'cws[ray]'`, or leave --executor out") from error
    return ray
