"""The text of a pull request: five minutes' reading, regressions first, nothing that is not in the record."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.patch import Patch
from ablations.record import AblationRecord
from supervisor.finding import Finding


def title(patch: Patch) -> str:
    """One line that says what changes."""
    changes = ", ".join(f"{name} {c.old} -> {c.new}" for name, c in patch.changes.items())
    texts = ", ".join(sorted(patch.texts))
    return f"{patch.module}: {'; '.join(part for part in (changes, texts) if part)}"


def body(record: AblationRecord, findings: Sequence[Finding], diff: str) -> str:
    """The commit message of a shipped patch, title included."""
    parts = [
        title(record.patch),
        _section("Finding", [f"{f.statement} ({f.miner}; {f.occurrences} runs)" for f in findings] or ["none given"]),
        _section("Change", diff.rstrip().splitlines()),
        _section("Difference", _difference(record)),
        _section("Tasks, regressions first (Sharpe a year)", _tasks(record)),
        _section("Guards", [("holds   " if g.holds else "BROKEN  ") + g.sentence for g in record.guards]),
        _section("Certificate of the gate", _certificate(record)),
        _section(
            "Provenance",
            [
                f"ablation {record.ablation_id}, record {record.digest[:16]}, patch {record.patch.digest[:16]}",
                f"suite {record.suite.name} {record.suite.digest[:16]} on {record.suite.data} "
                f"{record.suite.data_digest[:16]}",
                f"judged on the {record.suite.part} part, {record.suite.start} to {record.suite.end}",
                "proposed by the rules proposer of the supervisor; chosen on the mining part"
                if findings
                else "proposed by a person",
            ],
        ),
        _section("To roll back after the merge", ["git revert -m 1 MERGE_COMMIT"]),
    ]
    return "\n\n".join(parts)


def _section(head: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{head}:", *(f"    {line}" for line in lines)])


def _difference(record: AblationRecord) -> list[str]:
    floor = record.floor
    if floor is None:
        return [f"none: {record.verdict.message}"]
    return [
        f"{floor.delta:+.3f} Sharpe a year, mean of {len(record.tasks)} tasks",
        f"lower bound {floor.lower_bound:+.3f} over tasks and time; the noise floor is {floor.noise_floor:.3f}",
        f"p = {floor.p_value:.2g} at level {record.level:.2g}, trial {record.place} of this workspace "
        f"({floor.draws} draws, blocks of {floor.block_length_bars:.0f} bars)",
    ]


def _tasks(record: AblationRecord) -> list[str]:
    if record.floor is None:
        return [t.name for t in record.tasks]
    rows = sorted(zip(record.floor.effects, record.tasks, strict=True), key=lambda row: (row[0], row[1].name))
    return [f"{effect:+7.3f}  {task.name} ({task.family}): {task.signal}" for effect, task in rows]


def _certificate(record: AblationRecord) -> list[str]:
    c = record.certificate
    if c.certificate_id is None or c.patches is None or c.upper_bound is None:
        return [f"{c.state}: the gate's own false-ship rate is not known"]
    found = [f"{c.certificate_id} ({c.state}): {c.false_ships} of {c.patches} worthless patches shipped"]
    found.append(f"false-ship rate at most {c.upper_bound:.1%} (95 % upper bound)")
    if c.minimum_detectable is not None:
        found.append(f"the least difference that it finds reliably is {c.minimum_detectable:.2f} Sharpe a year")
    return found
