"""The loop: mine the traces, propose within bounds, ablate, submit what ships. A human merges.

Everything it learns it reads from the ledger, so a crash at any point loses nothing: the next pass finds the verdict
and opens the branch that was not opened yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ablations.ablate import ablate, certificate_for
from ablations.executor import Executor
from ablations.patch import Patch
from ablations.record import RecordError, read_record
from ablations.suite import Suite, load_suite
from harness.repository import Repository, RepositoryError
from modules.artifacts import ArtifactStore
from modules.contract import Stage
from modules.datastore import DataStore, DataVersion
from modules.manifest import ManifestStore
from modules.panel import iso
from modules.pipeline import Emit
from modules.task import load_pipeline
from modules.workspace import Workspace
from supervisor.bench import Bench
from supervisor.body import title
from supervisor.finding import Finding, Miner
from supervisor.forge.choice import forge_of
from supervisor.forge.port import Forge
from supervisor.grouping import EmitAll, Grouped, one_by_one
from supervisor.history import History, Judged
from supervisor.mined import Mined, mined_of
from supervisor.miners import MINERS
from supervisor.proposers.desk import desk_over
from supervisor.proposers.port import Proposal
from supervisor.proposers.rules import Rules, by_module
from supervisor.proposers.sift import sift
from supervisor.result import SuperviseResult, VerdictLine
from supervisor.screen import screen
from supervisor.submit import branch_of, kept_record, refuse_uncommitted, submit
from traces.events import DataRegistered

DEFAULT_SUITE = "broad"
TRACED_STAGES: tuple[Stage, ...] = ("clean", "backtest", "size", "execute")
"""Stages whose module in force must have been seen at work; ingest and feature differ from task to task."""

SCREEN_SHARE = 0.5
"""Of the time that is left, what comparing one module's candidates may take."""


@dataclass(frozen=True)
class Budget:
    """What one pass may spend. An ablation that has begun is finished."""

    seconds: float = 600.0
    ablations: int = 4

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and self.ablations >= 0):
            raise ValueError(f"budget {self}: give seconds above 0 and ablations of at least 0")


def supervise(
    workspace: Workspace,
    emit: Emit,
    *,
    suite: str = DEFAULT_SUITE,
    budget: Budget | None = None,
    miners: Sequence[Miner] = MINERS,
    executor: Executor | None = None,
    progress: Callable[[str], None] = lambda _: None,
    emit_all: EmitAll | None = None,
) -> SuperviseResult:
    """One pass over the workspace. `emit` must append to its ledger before it returns; `emit_all`, if given, the
    same for a group of events (`Ledger.append` takes them at the price of one).

    Raises RepositoryError (no git, no commits), SuiteError, DataError, and what a run raises.
    """
    clock = time.monotonic()
    budget = budget or Budget()
    grouped = Grouped(emit_all or one_by_one(emit))
    try:
        loop = _Pass.begin(workspace, grouped, load_suite(suite), budget, executor, progress)
        loop.trace_if_needed()
        findings = loop.mine(miners)
        for proposal in loop.propose(findings):
            loop.pursue(proposal)
    finally:
        grouped.flush()
    return SuperviseResult(tuple(findings), tuple(loop.verdicts), tuple(loop.notes), time.monotonic() - clock)


@dataclass
class _Pass:
    """One pass: where it works, what it may still spend, what it found."""

    workspace: Workspace
    repo: Repository
    forge: Forge
    bench: Bench
    grouped: Grouped
    executor: Executor | None
    progress: Callable[[str], None]
    deadline_s: float
    ablations_left: int
    verdicts: list[VerdictLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        workspace: Workspace,
        grouped: Grouped,
        suite: Suite,
        budget: Budget,
        executor: Executor | None,
        progress: Callable[[str], None],
    ) -> _Pass:
        repo = Repository(workspace.root)
        repo.head()  # no commits: refused before anything is spent
        data = DataStore(workspace.data)
        bench = Bench(
            suite=suite,
            version=_version(data, suite.data, grouped),
            spec=load_pipeline(workspace.root / "pipeline.yaml"),
            data=data,
            store=ArtifactStore(workspace.artifacts),
            manifests=ManifestStore(workspace.runs),
            emit=grouped,
        )
        found = cls(
            workspace,
            repo,
            forge_of(workspace),
            bench,
            grouped,
            executor,
            progress,
            time.monotonic() + budget.seconds,
            budget.ablations,
        )
        state = certificate_for(suite, workspace).state
        if state != "CURRENT":
            found.notes.append(
                f"the A/A certificate on suite {suite.name} is {state}: nothing can ship; run `cws certify`"
            )
        return found

    # --- mining ---------------------------------------------------------------------------------

    def mined(self) -> Mined:
        """The traces that may be mined, as of now."""
        self.grouped.flush()
        return mined_of(self.workspace, self.bench.data)

    def trace_if_needed(self) -> None:
        """Run the suite's tasks on the mining period where the modules in force left no traces there yet."""
        stages = self.bench.spec.stages
        mined = self.mined()
        seen = [mined.tasks_seen(f"{stage}/{stages[stage]}") for stage in TRACED_STAGES]
        missing = [t for t in self.bench.tasks(f"size/{stages['size']}") if not all(t.digest in s for s in seen)]
        for at, task in enumerate(missing):
            if time.monotonic() > self.deadline_s:
                self.notes.append(f"time ran out: {len(missing) - at} of {len(missing)} mining runs were not made")
                return
            self.progress(f"mining run {at + 1} of {len(missing)}: {task.signal}")
            self.bench.trace(task)
        if missing:
            self.notes.append(
                f"{len(missing)} tasks of suite {self.bench.suite.name} were run on the mining period (until "
                f"{iso(self.bench.version.mining_end_ns)}), because no traces of the modules in force were there"
            )

    def mine(self, miners: Sequence[Miner]) -> list[Finding]:
        """Every miner's findings; new ones go to the ledger."""
        mined = self.mined()
        known = set(mined.sql("SELECT DISTINCT finding_id FROM finding_recorded").get_column("finding_id").to_list())
        findings = []
        for miner in miners:
            self.progress(f"mining: {miner.name}")
            findings += miner.mine(mined)
        for finding in findings:
            if finding.finding_id not in known:
                self.bench.emit(finding.event())
        self.notes += [f"{count} runs were not mined: they {why}" for why, count in mined.left_out().items()]
        return findings

    # --- proposing and judging ------------------------------------------------------------------

    def propose(self, findings: Sequence[Finding]) -> list[Proposal]:
        """One proposal a module, in the order in which the modules were first found at fault."""
        desk = desk_over(self.bench, History.read(self.workspace.ledger), deadline_s=self.deadline_s)
        proposed = (Rules().propose(module, found, desk) for module, found in by_module(findings).items())
        return [proposal for proposal in proposed if proposal is not None]

    def pursue(self, proposal: Proposal) -> None:
        """Bring the best candidate that was not judged before to the judge; say what is known of the others."""
        sifted = sift(proposal.candidates, History.read(self.workspace.ledger), self.bench.suite.digest)
        for judged in sifted.judged:
            self._recall(judged, proposal)
        if sifted.shipped is not None:
            self.notes.append(f"{proposal.module}: a shipped patch awaits review; no other is proposed on this base")
            return
        if not sifted.fresh or not self._affordable(proposal):
            return
        try:
            refuse_uncommitted(self.repo, sifted.fresh[0])
        except RepositoryError as error:
            self.notes.append(f"{proposal.module}: {error}")
            return
        now = time.monotonic()
        self.progress(f"{proposal.module}: comparing {len(sifted.fresh)} candidates on the mining period")
        compared = screen(self.bench, sifted.fresh, now + SCREEN_SHARE * (self.deadline_s - now))
        best = next((s for s in compared if s.promising), None)
        if best is None:
            looked = f"none of {len(sifted.fresh)} candidates is better on the mining period"
            self.notes.append(f"{proposal.module}: {looked}; none is judged")
        elif self._affordable(proposal):
            self._judge(best.patch, proposal)

    def _judge(self, patch: Patch, proposal: Proposal) -> None:
        """One ablation, and its branch if it ships."""
        self.progress(f"judging {title(patch)}")
        self.grouped.flush()
        suite, spec = self.bench.suite, self.bench.spec
        record = ablate(patch, suite, self.workspace, self.bench.emit, executor=self.executor, spec=spec)
        self.ablations_left -= 1
        branch = submit(self.workspace, self.forge, record, proposal.findings, self.bench.emit)
        self.verdicts.append(VerdictLine.fresh(record, branch))

    def _recall(self, judged: Judged, proposal: Proposal) -> None:
        """A verdict that stands. Where a crash came between verdict and branch, the branch is opened now."""
        branch = branch_of(judged.finished.ablation_id)
        wanted = judged.shipped and not judged.rejected_by_human
        if wanted and not (judged.branch == branch and self.repo.tip(branch) is not None):
            try:
                record = read_record(kept_record(self.workspace, judged.finished.ablation_id))
            except RecordError:
                # Judging again gives the same record, and costs the stream of trials nothing: the trial is known.
                return self._judge(judged.patch, proposal)
            submit(self.workspace, self.forge, record, proposal.findings, self.bench.emit)
        self.verdicts.append(VerdictLine.remembered(judged, branch if wanted else None))
        return None

    def _affordable(self, proposal: Proposal) -> bool:
        why = "time" if time.monotonic() > self.deadline_s else "ablations" if self.ablations_left < 1 else ""
        if why:
            self.notes.append(f"{proposal.module}: not pursued, the budget of {why} is spent")
        return not why


def _version(data: DataStore, name: str, emit: Emit) -> DataVersion:
    """The current version; a bundled set is registered, and recorded, on first use."""
    known = {v.digest for v in data.list()}
    version = data.current(name)
    if version.digest not in known:
        fields = version.model_dump(include=set(DataRegistered.model_fields) - {"kind"})
        emit(DataRegistered(**fields))
    return version
