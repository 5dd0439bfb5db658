"""A module's tests in a sandbox: what is put in, what comes out, and nothing of it imported or unpickled here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from harness.coding.material import Material
from harness.drafters.port import Frozen
from harness.sandbox.port import MIB, Job, Limits, Outcome, Sandbox

INSIDE = Path(__file__).resolve().parent / "inside" / "check_module.py"
SHOWN = ("modules", "skills", "traces")
"""What a module may import; nothing that drafts, judges or trades."""
LIMITS = Limits(timeout_s=180.0, cpu_s=180, memory_bytes=2048 * MIB, scratch_bytes=128 * MIB, output_bytes=256 << 10)
MOST_WORDS = 2_000


class Failure(Frozen):
    """A rule that the module breaks, with what the test said of it."""

    rule: str = Field(max_length=200)
    words: str = Field(max_length=4_000)


class Tested(Frozen):
    """The claim of one trial: rules that held, rules that did not."""

    passed: tuple[str, ...] = Field(default=(), max_length=50)
    failures: tuple[Failure, ...] = Field(default=(), max_length=50)
    seconds: float = 0.0
    sandbox: str = ""

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.failures


def try_module(
    stage: str, name: str, files: Mapping[str, bytes], material: Material, sandbox: Sandbox, root: Path
) -> Tested:
    """Run the tests of the module in `files` (paths of the checkout). Raises SandboxError where the sandbox failed."""
    folder = f"modules/{stage}/{name}/"
    own = {path: body for path, body in files.items() if path.startswith(folder)}
    job = Job(
        files={**own, **material.files, "check_module.py": INSIDE.read_bytes()},
        argv=("python", "check_module.py", stage, name),
        limits=LIMITS,
        shown={part: root / part for part in SHOWN},
    )
    return read_outcome(sandbox.run(job), sandbox.name)


def read_outcome(outcome: Outcome, sandbox: str) -> Tested:
    """What the outcome says. A program that ended otherwise than by itself, or left no readable report, has failed."""
    seconds = round(outcome.usage.wall_s, 3)
    said = (outcome.stderr or outcome.stdout)[-MOST_WORDS:].decode("utf-8", "replace")
    raw = outcome.files.get("report.json")
    if raw is None:
        words = f"the tests did not end by themselves ({outcome.reason}, exit code {outcome.exit_code})\n{said}"
        return Tested(failures=(Failure(rule="the tests end", words=words),), seconds=seconds, sandbox=sandbox)
    try:
        tested = Tested.model_validate({**_object(raw), "seconds": seconds, "sandbox": sandbox})
    except (ValueError, RecursionError) as error:
        words = f"the report cannot be read: {' '.join(str(error).split())[:500]}"
        return Tested(failures=(Failure(rule="the report", words=words),), seconds=seconds, sandbox=sandbox)
    if not tested.failures and not tested.passed:
        return tested.model_copy(update={"failures": (Failure(rule="the report", words="no test was made"),)})
    if tested.ok and not outcome.ok:
        words = f"no rule was broken, but the program ended with {outcome.exit_code} ({outcome.reason})\n{said}"
        return tested.model_copy(update={"failures": (Failure(rule="the tests end", words=words),)})
    return tested


def _object(raw: bytes) -> dict[str, object]:
    value = json.loads(raw.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("the report is no object")
    return {key: value[key] for key in ("passed", "failures") if key in value}
