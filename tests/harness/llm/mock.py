"""A server of OpenAI's and Anthropic's protocols that nobody here wrote: npm's aimock, on a port of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
CLI = CHECKOUT / ".node" / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
BEGIN_S = 20.0


def needed() -> str:
    """The path of node; where it or aimock is missing, the test is skipped."""
    node = shutil.which("node")
    if node is not None and CLI.exists():
        return node
    message = "aimock is not here: run .ci/machine, which installs it by npm into .node"
    pytest.skip(message)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def aimock(folder: Path, fixtures: list[dict[str, object]]) -> Iterator[str]:
    """The address of a server that answers by `fixtures`, strictly."""
    node, port = needed(), _free_port()
    path = folder / "fixtures.json"
    path.write_text(json.dumps({"fixtures": fixtures}))
    command = [node, str(CLI), "-p", str(port), "-f", str(path), "--strict", "--log-level", "silent"]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(int(BEGIN_S / 0.1)):
            if _answers(address):
                break
            time.sleep(0.1)
        else:
            pytest.fail(f"aimock did not begin within {BEGIN_S:g} s")
        yield address
    finally:
        process.kill()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/__aimock/chaos", timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@contextmanager
def fault(address: str, **rates: float) -> Iterator[None]:
    """For a while every answer is as `rates` say: `dropRate`, `malformedRate`, `disconnectRate`, `rateLimitRate`."""
    _chaos(address, "POST", json.dumps(rates).encode())
    try:
        yield
    finally:
        _chaos(address, "DELETE", None)


def _chaos(address: str, method: str, body: bytes | None) -> None:
    request = urllib.request.Request(
        f"{address}/__aimock/chaos", data=body, method=method, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5):
        pass
