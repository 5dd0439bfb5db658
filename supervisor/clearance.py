"""May this run trade now, and with how much? Everything that can be known before a connection is made, in order.

Each thing that does not hold is a refusal with a name. What trades is what is merged: the checked-out commit, reviewed,
and a strategy that it promotes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ablations.ablate import certificate_folders
from ablations.certificate import CertificateError, gate_digest, load_all
from ablations.suite import SuiteError, default_suite, load_suite
from harness.repository import Repository
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.lockbox import strategy_of
from modules.manifest import Manifest
from modules.pipeline import Emit
from modules.promotion import LEVELS, Level, PromotionSpec
from modules.registry import RegistryError
from modules.replay import recorded_modules, replay
from modules.workspace import Workspace
from supervisor.promotion.record import PromotionRecordError, promoted_to
from supervisor.standing import unreviewed
from traces.reader import read


class Refusal(StrEnum):
    """Why nothing is traded, in order of precedence."""

    DIRTY_TREE = "DIRTY_TREE"
    UNREVIEWED = "UNREVIEWED"
    NOT_PROMOTED = "NOT_PROMOTED"
    OTHER_CODE = "OTHER_CODE"
    CERTIFICATE = "CERTIFICATE"


@dataclass(frozen=True)
class Problem:
    """One refusal: what, and the remedy."""

    refusal: Refusal
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.refusal}: {self.what}; {self.remedy}"


@dataclass(frozen=True)
class Clearance:
    """What was found. `capital_usd`: the most that the account may hold at its level, None = it is play money."""

    strategy: str
    level: Level
    capital_usd: float | None
    problems: tuple[Problem, ...]

    @property
    def name(self) -> str:
        """What risk core and journals call the strategy."""
        return f"s{self.strategy[:12]}"


def clear(workspace: Workspace, manifest: Manifest, spec: PromotionSpec, emit: Emit, *, real_money: bool) -> Clearance:
    """Every check of a run. Raises RepositoryError outside a repository, RunError for a run that was not executed."""
    manifest.stage("execute")
    strategy = strategy_of(manifest)
    repo = Repository(workspace.root)
    needed: Level = "micro" if real_money else "paper"
    level: Level = "research"
    problems = list(_of_tree(workspace, repo))
    try:
        level = promoted_to(repo, strategy, spec)
    except PromotionRecordError as error:
        problems.append(Problem(Refusal.NOT_PROMOTED, str(error), "take the records from the commits that added them"))
    else:
        if LEVELS.index(level) < LEVELS.index(needed):
            problems.append(
                Problem(
                    Refusal.NOT_PROMOTED,
                    f"strategy {strategy[:12]} of run {manifest.run_id} stands at {level} in the checked-out commit, "
                    f"needed is {needed}",
                    f"`cws promote {manifest.run_id} --to {needed}`, then merge its record with `cws review approve`",
                )
            )
    problems += _of_code(workspace, manifest, emit)
    problems += _of_certificates(workspace, manifest)
    return Clearance(strategy, level, spec.staged.of(level), tuple(problems))


def _of_tree(workspace: Workspace, repo: Repository) -> Iterator[Problem]:
    dirt = repo.dirt()
    if dirt:
        shown = ", ".join(dirt[:5]) + (f" and {len(dirt) - 5} more" if len(dirt) > 5 else "")
        yield Problem(Refusal.DIRTY_TREE, f"the checkout differs from its commit: {shown}", "commit, or stash it away")
    events = (e.event for e in read(workspace.ledger)) if workspace.ledger.exists() else iter(())
    for found in unreviewed(repo, events):
        yield Problem(Refusal.UNREVIEWED, str(found), "`cws review list` shows what waits for a human")


def _of_code(workspace: Workspace, manifest: Manifest, emit: Emit) -> Iterator[Problem]:
    """Code that moved on since the run must still give the run's bits."""
    try:
        modules = recorded_modules(manifest)
    except RegistryError as error:
        yield Problem(Refusal.OTHER_CODE, str(error), "run, validate and promote it with the code of today")
        return
    if all(modules[s.stage].code_digest == s.code_digest for s in manifest.stages):
        return
    again = replay(manifest, DataStore(workspace.data), ArtifactStore(workspace.artifacts), emit)
    if not again.equal and again.difference is not None:
        yield Problem(
            Refusal.OTHER_CODE,
            f"today's code gives run {manifest.run_id} other bits: {again.difference.message}",
            "run, validate and promote it with the code of today",
        )


def _of_certificates(workspace: Workspace, manifest: Manifest) -> Iterator[Problem]:
    """The gate that judges the run's modules must stand certified as it is now."""
    try:
        suites = {default_suite(f"{s.stage}/{s.module}") for s in manifest.stages if s.stage != "ingest"}
        digests = {name: load_suite(name).digest for name in sorted(suites)}
        known = {
            c.suite_digest
            for c in load_all(certificate_folders(workspace))
            if c.gate_digest == gate_digest() and c.stands
        }
    except (SuiteError, CertificateError) as error:
        yield Problem(Refusal.CERTIFICATE, str(error), "`cws certify` measures the gate anew")
        return
    for name, digest in digests.items():
        if digest not in known:
            yield Problem(
                Refusal.CERTIFICATE,
                f"no current certificate stands behind the gate on suite {name}, which judges modules of this run",
                f"`cws certify --suite {name}`, and commit it",
            )
