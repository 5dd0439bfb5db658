"""Which sandbox runs code here: Docker where an engine answers, else a jail of namespaces, else none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.sandbox.jail import Jail
from harness.sandbox.port import Job, Limits, NoSandboxError, Sandbox, SandboxError

REMEDY = "install bubblewrap (Linux), or start a Docker engine; signals in the language need neither"
_TRIAL = Job({"trial.txt": b""}, ("python", "-I", "-c", "print(6 * 7)"), Limits(timeout_s=20))


@dataclass(frozen=True)
class Finding:
    """One sandbox: what it gives here, or why it does not work here."""

    name: str
    works: bool
    detail: str


def known() -> tuple[Sandbox, ...]:
    """Every sandbox in the order of preference."""
    return (Jail("bubblewrap"), Jail("namespaces"))


def examine(sandboxes: Sequence[Sandbox] | None = None) -> tuple[Finding, ...]:
    """Each sandbox, tried with a program that prints a number."""
    return tuple(_try(sandbox) for sandbox in (known() if sandboxes is None else sandboxes))


def choose(sandboxes: Sequence[Sandbox] | None = None) -> Sandbox:
    """The first sandbox that works. Raises NoSandboxError with what is wrong with each."""
    refused = []
    for sandbox in known() if sandboxes is None else sandboxes:
        finding = _try(sandbox)
        if finding.works:
            return sandbox
        refused.append(f"{finding.name}: {finding.detail}")
    raise NoSandboxError(f"no sandbox works here, so code is refused: {'; '.join(refused)}. Remedy: {REMEDY}")


def _try(sandbox: Sandbox) -> Finding:
    try:
        outcome = sandbox.run(_TRIAL)
    except SandboxError as error:
        return Finding(sandbox.name, False, str(error).removeprefix(f"{sandbox.name}: "))
    if outcome.ok and outcome.stdout.strip() == b"42":
        return Finding(sandbox.name, True, f"a program starts and ends in {outcome.usage.start_s * 1000:.0f} ms")
    said = (outcome.stderr or outcome.stdout)[-300:].decode("utf-8", "replace").strip()
    return Finding(sandbox.name, False, f"a trial program ended with {outcome.exit_code} ({outcome.reason}): {said}")
