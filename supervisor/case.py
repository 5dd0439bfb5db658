"""What lies beside a shipped record so that a stranger can prove it again: from a clone, with no key and no network.

record.json         the ablation, the paired series included (ablations/record.py)
origin.json         who proposed it, why, and the findings behind it
trials.jsonl        the tests that came before it in the stream of trials, as the ledger has them: they grant its level
certificates/       the gate's A/A certificate
tape.jsonl          what the proposer heard from outside, if it asked anybody
report.*, *.png     for reading
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ablations.ablate import certificate_folders
from ablations.certificate import load_all
from ablations.record import AblationRecord
from ablations.report import write_report
from ablations.trials import FAMILY
from modules.workspace import Workspace
from supervisor.finding import Finding
from supervisor.origin import BY_HAND, MOST_RATIONALE, Origin
from traces.events import Event, FindingRecorded, PatchProposed, TrialRecorded, canonical_json

ORIGIN = "origin.json"
TRIALS = "trials.jsonl"
CERTIFICATES = "certificates"
TAPE = "tape.jsonl"
CURVE = "difference.png"

MOST_TRIALS_BYTES = 16 << 20
"""Of the stream before a trial. Beyond that the level is proven from the ledger alone, and `cws verify` says so."""

MOST_TAPE_BYTES = 8 << 20


@dataclass(frozen=True)
class Past:
    """What the ledger knows of a record: who asked for it, and the tests before it."""

    origin: Origin
    trials: tuple[TrialRecorded, ...]


def look_back(events: Iterable[Event], record: AblationRecord, findings: Sequence[Finding] = ()) -> Past:
    """The newest proposal of this very patch (none: it was a person's), and the stream up to its own trial."""
    trials: list[TrialRecorded] = []
    proposed: PatchProposed | None = None
    mined: dict[str, FindingRecorded] = {f.finding_id: f.event() for f in findings}
    own = False
    digest = record.patch.digest
    for event in events:
        if isinstance(event, TrialRecorded) and event.family == FAMILY and event.p_value is not None:
            own = own or event.trial_id == record.ablation_id
            if not own:
                trials.append(event)
        elif isinstance(event, PatchProposed) and digest in event.patches:
            proposed = event
        elif isinstance(event, FindingRecorded):
            mined[event.finding_id] = event
    origin = BY_HAND
    if proposed is not None:
        behind = tuple(mined[i] for i in proposed.findings if i in mined)
        why = proposed.rationale[:MOST_RATIONALE]
        origin = Origin(proposer=proposed.proposer, rationale=why, tape=proposed.tape, findings=behind)
    elif findings:
        origin = Origin(proposer="rules", findings=tuple(f.event() for f in findings))
    return Past(origin, tuple(trials))


def write_case(workspace: Workspace, record: AblationRecord, past: Past, folder: Path) -> list[Path]:
    """Every file of the case below `folder`; the same record and ledger give the same bytes."""
    written = write_report(record, folder)
    files: dict[str, bytes] = {ORIGIN: (canonical_json(past.origin) + "\n").encode(), CURVE: draw_curve(record)}
    trials = "".join(f"{canonical_json(trial)}\n" for trial in past.trials).encode()
    if len(trials) <= MOST_TRIALS_BYTES:
        files[TRIALS] = trials
    for certificate in load_all(certificate_folders(workspace)):
        if certificate.certificate_id == record.certificate.certificate_id:
            text = canonical_json(certificate) + "\n"
            files[f"{CERTIFICATES}/{certificate.certificate_id}.json"] = text.encode()
    tape = _tape(workspace, past.origin)
    if tape is not None:
        files[TAPE] = tape
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def _tape(workspace: Workspace, origin: Origin) -> bytes | None:
    """The tape that the proposal names as `ID:DIGEST`, if it lies in this workspace and is not too large to commit."""
    if origin.tape is None:
        return None
    from harness.llm.tape import TapeError, tape_path

    try:
        path = tape_path(workspace.home, origin.tape.partition(":")[0])
    except TapeError:
        return None
    return path.read_bytes() if path.is_file() and path.stat().st_size <= MOST_TAPE_BYTES else None


def draw_curve(record: AblationRecord) -> bytes:
    """PNG: what the patch gains over the judged years, patched less baseline, summed: each task, and their mean."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 3.8), layout="constrained")
    axis = figure.subplots()
    if record.series is None:
        axis.set_axis_off()
        axis.text(0.0, 0.5, f"No series to draw: {record.verdict.label}")
    else:
        ts, series = record.series.unpack()
        gains = np.cumsum(series.patched - series.baseline, axis=1) * 100.0
        days = ts.astype("datetime64[ns]").astype("datetime64[D]")
        for task, gain in zip(record.tasks, gains, strict=True):
            axis.plot(days, gain, linewidth=0.7, color="#b5482f" if gain[-1] < 0.0 else "#9db8cc", label=task.name)
        axis.plot(days, gains.mean(axis=0), linewidth=2.0, color="#2f6f9f")
        axis.axhline(0.0, color="black", linewidth=0.8)
        axis.set_ylabel("patched less baseline, % of capital")
        axis.set_title(f"{record.patch.module}: mean of {len(record.tasks)} tasks (thick), tasks that lose in red")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()
