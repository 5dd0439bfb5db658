"""A module is written, tested in a sandbox, mended and proposed. For real: a sandbox of this machine runs the code.

1. What fails is read by the coder, and what it mends is proposed on a branch with one commit.
2. Code that was written is never imported by this process: not by writing, testing or proposing it.
3. Code that never passes is not proposed; its last version is kept as text.
4. What a program under test says is a claim: garbage, silence and a forged exit code are failures, not passes.
5. A coding that was cut off goes on, and tests or commits nothing twice.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.coding.code import Workshop, code, resume_coding
from harness.coding.coder import Manuscript, Order
from harness.coding.trial import Failure, read_outcome
from harness.drafters.port import Allowance
from harness.sandbox.choose import examine, known
from harness.sandbox.port import Outcome, Reason, Sandbox, Usage
from modules.datastore import DataStore
from modules.workspace import Workspace
from tests.harness.planted import git, reversal_panel, small_checkout, wide_csv
from traces.events import Event

AHEAD = '''
def compute(panel: Panel, settings: Settings) -> FloatArray:
    """Tomorrow's return, known today."""
    close = panel["close"]
    out = np.full(close.shape, np.nan)
    out[:-1] = close[1:] / close[:-1] - 1.0
    return out
'''
HOSTILE = """
import pathlib, sys
for place in (r"{canary}", "../canary", "/shown/modules/canary"):
    try:
        pathlib.Path(place).write_text("imported")
    except OSError:
        pass
"""


@dataclass
class Writer:
    """Writes what it is told to, attempt by attempt, and keeps what it was shown."""

    versions: Sequence[Mapping[str, str]]
    shown: list[tuple[Failure, ...]] = field(default_factory=list)
    name: str = "writer"

    def write(
        self, order: Order, files: Mapping[str, str], failures: Sequence[Failure], *, attempt: int, allowance: Allowance
    ) -> Manuscript:
        self.shown.append(tuple(failures))
        return Manuscript(files=dict(self.versions[min(attempt, len(self.versions)) - 1]))


@dataclass
class Counting:
    """A sandbox, with a count of the jobs."""

    inner: Sandbox
    jobs: int = 0

    @property
    def name(self) -> str:
        return self.inner.name

    def run(self, job):  # type: ignore[no-untyped-def]
        self.jobs += 1
        return self.inner.run(job)


def sandbox() -> Counting:
    """The quickest that works here; without any the test is skipped, which is seen, as in tests/harness/sandbox."""
    for one in reversed(known()):
        if examine([one])[0].works:
            return Counting(one)
    pytest.skip("no sandbox works on this machine")


@dataclass
class Lab:
    workspace: Workspace
    run_py: str
    events: list[Event] = field(default_factory=list)

    def workshop(self, writer: Writer, box: Counting) -> Workshop:
        return Workshop(self.workspace, self.events.append, coder=writer, sandbox=box)

    def code(self, writer: Writer, box: Counting, name: str, attempts: int = 3):  # type: ignore[no-untyped-def]
        version = DataStore(self.workspace.data).current("planted")
        return code(self.workshop(writer, box), name, "distance from the mean", version=version, attempts=attempts)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    from harness.coding.template import new_module
    from modules.ingest.adding import add_files

    folder = tmp_path_factory.mktemp("coding")
    workspace = Workspace(root=small_checkout(folder / "checkout"), home=folder / "home")
    add_files(DataStore(workspace.data), "planted", [wide_csv(reversal_panel(600), folder / "planted.csv")])
    files = new_module("feature", "a_name", "Something of a test.", kind="python", root=workspace.root)
    return Lab(workspace, files["modules/feature/a_name/run.py"].decode())


def with_compute(run_py: str, name: str, compute: str, head: str = "") -> str:
    """The template's run.py of module `name` with another `compute`."""
    own = run_py.replace("a_name", name)
    begin, end = own.index("def compute("), own.index("def run(")
    return f"{own[:begin]}{head}{compute}\n\n{own[end:]}"


@pytest.mark.slow
def test_1_2_what_fails_is_read_and_mended(lab: Lab, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    hostile = with_compute(lab.run_py, "mended", AHEAD, HOSTILE.format(canary=canary))
    good = lab.run_py.replace("a_name", "mended")
    writer, box = (
        Writer([{"run.py": hostile, "acceptance.py": "def accept(*_): return []"}, {"run.py": good}]),
        sandbox(),
    )
    before = set(sys.modules)
    result = lab.code(writer, box, "mended")
    assert (result.status, result.attempts, box.jobs) == ("proposed", 2, 2)
    assert any("future" in f.rule or "future" in f.words for f in writer.shown[1]), writer.shown[1]
    assert not canary.exists() and not list(lab.workspace.root.rglob("canary"))
    assert not [m for m in set(sys.modules) - before if "mended" in m]
    root, branch = lab.workspace.root, result.branch
    assert git(root, "log", "--oneline", f"main..{branch}").count("\n") == 1
    assert git(root, "show", f"{branch}:modules/feature/mended/run.py") == good
    # The rules that judge an output are the template's: a coder does not get to write them.
    assert "accept_coded" in git(root, "show", f"{branch}:modules/feature/mended/acceptance.py")
    assert git(root, "status", "--porcelain") == ""
    kinds = [e.kind for e in lab.events if e.kind.startswith("module.")]
    assert kinds[-3:] == ["module.tested", "module.tested", "module.written"]


@pytest.mark.slow
def test_3_what_never_passes_is_not_proposed(lab: Lab) -> None:
    loop = with_compute(lab.run_py, "bad", "\ndef compute(panel, settings):\n    raise SystemExit(0)\n")
    result = lab.code(Writer([{"run.py": loop}]), sandbox(), "bad", attempts=2)
    assert (result.status, result.attempts, result.branch) == ("failed", 2, None)
    assert result.failures and result.failures[0].rule == "it runs"
    kept = Path(result.kept_in) / "modules/feature/bad/run.py.txt"
    assert "SystemExit" in kept.read_text()
    assert "research/bad" not in git(lab.workspace.root, "branch", "--list")


@pytest.mark.slow
def test_5_one_that_has_ended_is_not_done_again(lab: Lab) -> None:
    writer, box = Writer([{}]), sandbox()
    first = lab.code(writer, box, "plain")
    again = resume_coding(lab.workshop(writer, box), first.coding_id)
    assert again == first and box.jobs == 1 and len(writer.shown) == 1


def outcome(report: bytes | None, exit_code: int = 0, reason: Reason = Reason.EXITED) -> Outcome:
    files = {} if report is None else {"report.json": report}
    return Outcome(exit_code, b"", b"said", files, (), reason, Usage(1.0, 0.1, 1.0, 1))


CLAIMS = [
    (b'{"passed": ["a"], "failures": []}', 0, Reason.EXITED, True),
    (b'{"passed": [], "failures": [{"rule": "x", "words": "y"}]}', 1, Reason.EXITED, False),
    (b'{"passed": ["a"], "failures": []}', 1, Reason.EXITED, False),
    (b'{"passed": ["a"], "failures": []}', 0, Reason.TIMEOUT, False),
    (None, 0, Reason.EXITED, False),
    (None, 137, Reason.MEMORY, False),
    (b"", 0, Reason.EXITED, False),
    (b"[]", 0, Reason.EXITED, False),
    (b"\xff\xfe", 0, Reason.EXITED, False),
    (b"[" * 100_000, 0, Reason.EXITED, False),
    (b'{"passed": ["a"], "failures": {"rule": 1}}', 0, Reason.EXITED, False),
    (b'{"passed": ["' + b"x" * 10 + b'"], "failures": [], "sandbox": "none", "extra": 1}', 0, Reason.EXITED, True),
    (b'{"passed": [' + b'"x",' * 60 + b'"x"], "failures": []}', 0, Reason.EXITED, False),
    (b"{}", 0, Reason.EXITED, False),
]


@pytest.mark.parametrize(("report", "exit_code", "reason", "ok"), CLAIMS)
def test_4_a_claim_that_cannot_be_read_is_no_pass(
    report: bytes | None, exit_code: int, reason: Reason, ok: bool
) -> None:
    tested = read_outcome(outcome(report, exit_code, reason), "box")
    assert tested.ok == ok and tested.sandbox == "box"
    assert tested.ok or all(f.rule and f.words for f in tested.failures)
