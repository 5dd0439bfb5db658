"""Every test of the suite runs against every sandbox that works here; in CI all must."""

from __future__ import annotations

import os
from functools import cache

import pytest

from harness.sandbox.choose import Finding, examine, known
from harness.sandbox.port import Job, Limits, Outcome, Sandbox

SANDBOXES = {sandbox.name: sandbox for sandbox in known()}


@cache
def finding(name: str) -> Finding:
    return examine([SANDBOXES[name]])[0]


@pytest.fixture(params=sorted(SANDBOXES))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    found = finding(request.param)
    if not found.works:
        message = f"{found.name} does not work here: {found.detail}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return SANDBOXES[request.param]


SMALL = Limits(timeout_s=20, cpu_s=10)


def run(sandbox: Sandbox, code: str, limits: Limits = SMALL, files: dict[str, bytes] | None = None) -> Outcome:
    """A program of one file, without the site packages, for speed."""
    return sandbox.run(Job({"main.py": code.encode(), **(files or {})}, ("python", "-I", "main.py"), limits))
