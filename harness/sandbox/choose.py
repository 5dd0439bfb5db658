"""Which sandbox runs code here: Docker where an engine answers, else a jail of namespaces, else none."""

from __future__ import annotations

from dataclasses import dataclass

from harness.sandbox.port import NoSandboxError, Sandbox


@dataclass(frozen=True)
class Finding:
    """One sandbox: what it gives here, or why it does not work here."""

    name: str
    works: bool
    detail: str


def examine() -> tuple[Finding, ...]:
    """Every sandbox in the order of preference, each tried for real."""
    return ()


def choose() -> Sandbox:
    """The first sandbox that works. Raises NoSandboxError with what is wrong with each."""
    why = "; ".join(f"{f.name}: {f.detail}" for f in examine())
    raise NoSandboxError(f"no sandbox works here, so no code of an agent is run ({why or 'none is known'})")
