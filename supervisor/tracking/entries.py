"""What MLflow is told: the ledger's events gathered into one entry a run, ablation and certificate."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from modules.workspace import Workspace
from supervisor.forge.port import PATCHES
from supervisor.submit import kept_record
from traces.events import (
    AblationFinished,
    AblationStarted,
    CertificateIssued,
    Envelope,
    PatchRolledBack,
    PatchWatched,
    ReviewApproved,
    ReviewRejected,
    RunFailed,
    RunFinished,
    RunStarted,
    StageFinished,
    StageRefused,
)
from traces.export import RunExport, run_export

Kind = Literal["runs", "ablations", "certificates"]

PURPOSES = frozenset({"run", "research", "replay", "validate"})
"""Runs that somebody asked for; those of ablations and certificates are a hundred times as many."""

KINDS = frozenset(
    str(cls.model_fields["kind"].default)
    for cls in (
        AblationFinished,
        AblationStarted,
        CertificateIssued,
        PatchRolledBack,
        PatchWatched,
        ReviewApproved,
        ReviewRejected,
        RunFailed,
        RunFinished,
        RunStarted,
        StageFinished,
        StageRefused,
    )
)

CUT_OFF_NS = 86_400_000_000_000
"""A run without an end for so long, by the ledger's time, was cut off."""


@dataclass(frozen=True)
class Entry:
    """Something to be tracked. `seq` is the last event that it rests on: a later one renews it."""

    kind: Kind
    seq: int
    export: RunExport


@dataclass(frozen=True)
class Fate:
    """What a human decided on the branch of an ablation."""

    ablation_id: str
    tags: dict[str, str]


@dataclass
class Gatherer:
    """Feed it envelopes in order; it yields what is complete. `ledger` is the fingerprint of the ledger's key."""

    workspace: Workspace
    ledger: str
    purposes: Collection[str]
    runs: dict[str, list[Envelope]] = field(default_factory=dict)
    ablations: dict[str, Envelope] = field(default_factory=dict)

    def take(self, envelope: Envelope) -> Iterator[Entry | Fate]:
        """What this event completes: at most one thing, and runs that were cut off long before it."""
        event = envelope.event
        if isinstance(event, RunStarted):
            if event.purpose in self.purposes:
                self.runs[event.run_id] = [envelope]
        elif isinstance(event, StageFinished | StageRefused):
            if event.run_id in self.runs:
                self.runs[event.run_id].append(envelope)
        elif isinstance(event, RunFinished | RunFailed):
            if event.run_id in self.runs:
                yield self._run(event.run_id, [*self.runs.pop(event.run_id), envelope])
        elif isinstance(event, AblationStarted):
            self.ablations[event.ablation_id] = envelope
        elif isinstance(event, AblationFinished):
            started = self.ablations.pop(event.ablation_id, None)
            yield self._ablation(started, envelope, event)
        elif isinstance(event, CertificateIssued):
            yield self._certificate(envelope, event)
        elif isinstance(event, ReviewApproved | ReviewRejected) and event.branch.startswith(PATCHES):
            yield Fate(event.branch.removeprefix(PATCHES), _fate(event))
        elif isinstance(event, PatchWatched | PatchRolledBack):
            yield Fate(event.ablation_id, _later(event))
        yield from self._cut_off(envelope.ts_ns)

    def oldest_open(self) -> int | None:
        """The place of the oldest event whose run or ablation has no end yet."""
        firsts = [events[0].seq for events in self.runs.values()] + [e.seq for e in self.ablations.values()]
        return min(firsts, default=None)

    def _cut_off(self, now_ns: int) -> Iterator[Entry]:
        """Runs come in the order of their starts, so only the first can be old."""
        while self.runs:
            run_id, events = next(iter(self.runs.items()))
            if now_ns - events[0].ts_ns < CUT_OFF_NS:
                break
            yield self._run(run_id, self.runs.pop(run_id))
        while self.ablations:
            ablation_id, started = next(iter(self.ablations.items()))
            if now_ns - started.ts_ns < CUT_OFF_NS:
                break
            del self.ablations[ablation_id]

    def _run(self, run_id: str, events: list[Envelope]) -> Entry:
        export = run_export(events, run_id, _files(self.workspace.reports / run_id))
        if export.status == "RUNNING":
            tags = {**export.tags, "cws.error": "the ledger holds no end of it: it was cut off"}
            export = export.model_copy(update={"status": "KILLED", "tags": tags, "ended_ns": events[-1].ts_ns})
        return Entry("runs", events[-1].seq, export)

    def _ablation(self, started: Envelope | None, ended: Envelope, event: AblationFinished) -> Entry:
        # A parameter never changes in MLflow; a verdict may, when it is tried again after a stale certificate.
        params = {"module": event.module}
        tags = {"cws.ablation": event.ablation_id, "cws.verdict": event.verdict, "cws.reason": event.reason}
        began = ended.ts_ns - int(event.seconds * 1e9)
        if started is not None and isinstance(started.event, AblationStarted):
            began = started.ts_ns
            params |= {f"patch.{name}": f"{c.old} -> {c.new}" for name, c in started.event.patch.items()}
            params["suite"] = started.event.suite
            tags["cws.suite"] = started.event.suite_digest
        return Entry(
            "ablations",
            ended.seq,
            RunExport(
                run_id=named(event.ablation_id, self.ledger),
                name=f"{event.verdict} {event.module}",
                status="FINISHED",
                params=params,
                metrics={
                    "delta": event.delta,
                    "lower_bound": event.lower_bound,
                    "p_value": event.p_value,
                    "level": event.level,
                    "shipped": float(event.verdict == "SHIP"),
                    "seconds": event.seconds,
                },
                tags=tags,
                artifacts=_files(kept_record(self.workspace, event.ablation_id)),
                started_ns=began,
                ended_ns=ended.ts_ns,
            ),
        )

    def _certificate(self, envelope: Envelope, event: CertificateIssued) -> Entry:
        file = self.workspace.certificates / f"{event.certificate_id}.json"
        return Entry(
            "certificates",
            envelope.seq,
            RunExport(
                run_id=named(event.certificate_id, self.ledger),
                name=f"certificate {event.certificate_id}",
                status="FINISHED",
                params={"gate": event.gate_digest, "suite": event.suite_digest, "data": event.data_digest},
                metrics={
                    "patches": float(event.patches),
                    "false_ships": float(event.false_ships),
                    "upper_bound": event.upper_bound,
                    "minimum_detectable": event.minimum_detectable,
                },
                tags={"cws.certificate": event.certificate_id},
                artifacts=(file,) if file.is_file() else (),
                started_ns=envelope.ts_ns,
                ended_ns=envelope.ts_ns,
            ),
        )


def named(content_id: str, ledger: str) -> str:
    """The id of what is named by its content, told apart between workspaces: each judged it in a stream of its own."""
    return f"{content_id}-{ledger[:8]}"


def _fate(event: ReviewApproved | ReviewRejected) -> dict[str, str]:
    if isinstance(event, ReviewApproved):
        return {"cws.review": "merged", "cws.by": event.by, "cws.merge": event.merge_commit}
    return {"cws.review": "turned down", "cws.by": event.by, "cws.why": event.reason}


def _later(event: PatchWatched | PatchRolledBack) -> dict[str, str]:
    if isinstance(event, PatchRolledBack):
        return {"cws.review": "rolled back", "cws.by": event.by, "cws.why": event.reason}
    benefit = "none" if event.benefit is None else f"{event.benefit:.6g}"
    return {"cws.benefit": benefit, "cws.decayed": str(event.decayed).lower(), "cws.watched": event.end}


def _files(folder: Path) -> tuple[Path, ...]:
    """What lies in a folder of results; its drafts begin with a dot."""
    return tuple(sorted(p for p in folder.glob("*") if p.is_file() and not p.name.startswith(".")))
