"""Which sandbox runs code here: Docker where an engine answers, else a jail of namespaces, else none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.sandbox.docker import Docker
from harness.sandbox.jail import Jail
from harness.sandbox.port import Job, Limits, NoSandboxError, Sandbox, SandboxError

REMEDY = (
    "install bubblewrap and allow user namespaces (Linux), or start a Docker engine that you may use;"
    " signals in the language need neither"
)
_TRIAL = Job({"trial.txt": b""}, ("python", "-I", "-c", "print(6 * 7)"), Limits(timeout_s=20))


@dataclass(frozen=True)
class Finding:
    """One sandbox: what it gives here, or why it does not work here."""

    name: str
    works: bool
    detail: str
    gives: str


def known() -> tuple[Sandbox, ...]:
    """Every sandbox in the order of preference."""
    return (Docker(), Jail("bubblewrap"), Jail("namespaces"))


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
    def finding(works: bool, detail: str) -> Finding:
        return Finding(sandbox.name, works, detail.removeprefix(f"{sandbox.name}: "), sandbox.gives if works else "")

    try:
        if isinstance(sandbox, Docker) and not sandbox.is_ready():
            return finding(True, "an engine answers; the image is built at the first job (10 s to a minute)")
        outcome = sandbox.run(_TRIAL)
    except SandboxError as error:
        return finding(False, str(error))
    if outcome.ok and outcome.stdout.strip() == b"42":
        return finding(True, f"started and cleared up in {outcome.usage.start_s * 1000:.0f} ms")
    said = (outcome.stderr or outcome.stdout)[-300:].decode("utf-8", "replace").strip()
    return finding(False, f"a trial program ended with {outcome.exit_code} ({outcome.reason}): {said}")
