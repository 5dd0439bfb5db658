"""The Ray executor on a real cluster on loopback: a head without processors, and two machines of one each.

1. It holds what every executor holds, deaths included.
2. An ablation has the same verdict and digest as in one process; so it has when a worker, or a whole machine, is killed
   in the middle.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ablations.ablate import ablate
from ablations.executors.port import Executor, ExecutorError
from ablations.executors.serial import Serial
from ablations.patch import propose
from ablations.record import AblationRecord
from ablations.suite import load_suite
from modules.registry import load_module
from modules.workspace import CHECKOUT, Workspace
from tests.ablations.executor_conformance import Conformance, Workers

pytestmark = pytest.mark.slow

MISSING = "Ray is not installed: pip install 'cws[ray]'"


AGENTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")


def loopback() -> dict[str, Any]:
    """A machine on loopback. Ports are given: Ray waits 15 s for one that an agent chooses, and gives up."""
    boxes = [socket.socket() for _ in AGENTS]
    for box in boxes:
        box.bind(("127.0.0.1", 0))
    ports = {name: box.getsockname()[1] for name, box in zip(AGENTS, boxes, strict=True)}
    for box in boxes:
        box.close()
    return {"node_ip_address": "127.0.0.1", "include_dashboard": False, **ports}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    if importlib.util.find_spec("ray") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # before Ray is imported
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **loopback()})
    for _ in range(2):
        made.add_node(num_cpus=1, **loopback())
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def executor(cluster: Any) -> Iterator[Executor]:
    from ablations.executors.ray import RayPool

    with RayPool(cluster.address) as pool:
        yield pool


class TestRay(Conformance, Workers):
    pass


def test_a_process_is_on_one_cluster(executor: Executor, cluster: Any) -> None:
    from ablations.executors.ray import RayPool

    with pytest.raises(ExecutorError, match="already"):
        RayPool(cluster.address)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AblationRecord]:
    suite = load_suite("fast")
    six = suite.model_copy(update={"tasks": suite.tasks[:6]})

    def judge(executor: Executor, home: str) -> AblationRecord:
        """One ablation in a fresh workspace: nothing is known from before."""
        workspace = Workspace(CHECKOUT, tmp_path_factory.mktemp(home))
        patch = propose(load_module("size", "rank_neutral"), {"no_trade_band": 0.02})
        return ablate(patch, six, workspace, lambda event: None, executor=executor, history=lambda: ())

    return judge


def test_same_verdict_and_digest_as_in_one_process_whatever_dies(
    executor: Executor, cluster: Any, once: Callable[..., AblationRecord]
) -> None:
    plain = once(Serial(), "serial")
    assert once(executor, "quiet").digest == plain.digest

    killed: list[int] = []
    stop = threading.Event()
    hunter = threading.Thread(target=_kill_a_worker, args=(killed, stop))
    hunter.start()
    hunted = once(executor, "hunted")
    stop.set()
    hunter.join()
    assert killed, "no worker was killed: the test tested nothing"
    assert (hunted.digest, hunted.verdict) == (plain.digest, plain.verdict)

    machine = cluster.list_all_nodes()[-1]
    timer = threading.Timer(1.0, cluster.remove_node, (machine,), {"allow_graceful": False})
    timer.start()
    assert once(executor, "one machine").digest == plain.digest
    timer.join()
    cluster.add_node(num_cpus=1, **loopback())


def _kill_a_worker(killed: list[int], stop: threading.Event) -> None:
    """Kill one process that is at work on a job."""
    while not killed and not stop.wait(0.05):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if command.startswith(b"ray::_call") and not stop.wait(0.3):
                os.kill(int(process.name), signal.SIGKILL)
                killed.append(int(process.name))
                break
    time.sleep(0)
