"""The text of a pull request: five minutes' reading, regressions first, nothing that is not in the record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ablations.floor import CONFIDENCE
from ablations.patch import Patch
from ablations.record import AblationRecord
from supervisor.finding import Finding
from supervisor.origin import Origin

TWO_SIDED = 1.959963984540054
"""Standard errors to each side of a 95 % interval by the normal law."""

MOST_DIFF_LINES = 120
"""Of a patch of texts; the rest is in the commit itself."""


@dataclass(frozen=True)
class Text:
    """A request in words: as a commit's message, and as the page of a forge."""

    message: str
    page: str


def title(patch: Patch) -> str:
    """One line that says what changes."""
    changes = ", ".join(f"{name} {c.old} -> {c.new}" for name, c in patch.settings.items())
    texts = ", ".join(sorted(patch.texts))
    return f"{patch.module}: {'; '.join(part for part in (changes, texts) if part)}"


def body(record: AblationRecord, findings: Sequence[Finding], diff: str, origin: Origin) -> Text:
    """The request of a shipped patch."""
    folder = f"ablations/records/{record.ablation_id}"
    return written(
        title(record.patch),
        [
            ("Finding", [_found(f) for f in findings] or ["none given"]),
            ("Change", _cut(diff.rstrip().splitlines())),
            ("Difference", _difference(record)),
            *([("Two modules", record.swap.lines)] if record.swap is not None else []),
            ("Tasks, regressions first (Sharpe a year)", _tasks(record)),
            ("Guards", [("holds   " if g.holds else "BROKEN  ") + g.sentence for g in record.guards]),
            ("Certificate of the gate", _certificate(record)),
            ("Proposed by", origin.lines),
            ("Cost", [f"{record.runtime.seconds:.0f} s for {len(record.tasks)} tasks in both arms"]),
            ("Digests", _digests(record)),
            ("Pictures and record", [f"{folder}/{name}" for name in ("ablation.png", "difference.png", "report.html")]),
            ("To prove it again", [f"cws verify {record.ablation_id}   (from a clean clone; no key, no network)"]),
            ("To roll back after the merge", [f"cws rollback {record.ablation_id} --reason WHY, or git revert -m 1"]),
        ],
    )


def written(title: str, sections: Sequence[tuple[str, Sequence[str]]]) -> Text:
    """Title and sections, as a commit message and as markdown. What they hold is data: it is indented there and fenced
    here, and neither a trailer nor a link comes of it."""
    indented = ["\n".join([f"{head}:", *(f"    {line}" for line in lines)]) for head, lines in sections]
    fenced = [f"## {head}\n\n{_fence(lines, 'diff' if head == 'Change' else 'text')}" for head, lines in sections]
    return Text("\n\n".join([title, *indented]), "\n\n".join([title, *fenced]))


def _fence(lines: Sequence[str], language: str) -> str:
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *lines, fence])


def _found(finding: Finding) -> str:
    return f"{finding.statement} ({finding.miner}; {finding.occurrences} runs; {finding.finding_id})"


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_DIFF_LINES
    return lines if more <= 0 else [*lines[:MOST_DIFF_LINES], f"... and {more} lines more, in the commit"]


def _difference(record: AblationRecord) -> list[str]:
    floor = record.floor
    if floor is None:
        return [f"none: {record.verdict.message}"]
    half = TWO_SIDED * floor.cluster_error
    return [
        f"{floor.delta:+.3f} Sharpe a year, mean of {len(record.tasks)} tasks",
        f"95 % interval {floor.delta - half:+.3f} to {floor.delta + half:+.3f} (normal law, tasks and time)",
        f"lower bound {floor.lower_bound:+.3f} ({CONFIDENCE:.0%}, by bootstrap over tasks and time); "
        f"the noise floor is {floor.noise_floor:.3f}",
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


def _digests(record: AblationRecord) -> list[str]:
    return [
        f"ablation {record.ablation_id}, record {record.digest[:16]}, patch {record.patch.digest[:16]}",
        f"suite {record.suite.name} {record.suite.digest[:16]}, settings {record.settings_digest[:16]}",
        f"data {record.suite.data} {record.suite.data_digest[:16]}",
        f"judged on the {record.suite.part} part, {record.suite.start} to {record.suite.end}",
        *(f"{stage} {code[:60]}" for stage, code in record.modules.items()),
    ]
