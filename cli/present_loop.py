"""What supervise found, for people: every verdict with its noise floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.present import WIDE, block, rows, table, text, verdict_text

if TYPE_CHECKING:
    from rich.console import Console

    from supervisor.finding import Finding
    from supervisor.result import SuperviseResult, VerdictLine

SIZE = "{:+.3f}"


def show_supervision(out: Console, result: SuperviseResult) -> None:
    """Findings, then every verdict with its difference, its bound and the noise floor it had to clear."""
    narrow = out.width < WIDE
    if result.findings and narrow:
        for f in result.findings:
            show_finding(f, out)
    elif result.findings:
        made = table("finding", "module", "what", "size", "seen", right=("size", "seen"))
        cells = ((f.miner, f.module, f.statement, f"{f.size:.3g} {f.unit}", f.occurrences) for f in result.findings)
        out.print(rows(made, cells))
    else:
        out.print("no finding: the traces hold no pattern that a miner knows")
    show_verdicts(out, result.verdicts)
    for note in result.notes:
        out.print(f"note: {note}", markup=False)
    for line in result.verdicts:
        if line.branch is not None:
            out.print(f"waits for review: {line.branch}", markup=False)


def show_finding(finding: Finding, out: Console) -> None:
    """One finding as a block of lines."""
    figures = f"{finding.size:.3g} {finding.unit}, seen {finding.occurrences} times"
    block(out, f"{finding.miner}  {finding.module}", figures, finding.statement)


def show_verdicts(out: Console, verdicts: tuple[VerdictLine, ...]) -> None:
    """Every verdict, as a table where there is room."""
    if not verdicts:
        out.print("no patch was judged")
    elif out.width < WIDE:
        for line in verdicts:
            _show_verdict(out, line)
    else:
        out.print(verdict_table(verdicts))


def verdict_table(verdicts: tuple[VerdictLine, ...]) -> object:
    """One row a verdict. Differences are annualised Sharpe ratios, patched less baseline."""
    numbers = ("difference", "lower bound", "noise floor", "p")
    made = table("patch", "verdict", *numbers, "reason", right=numbers)
    for v in verdicts:
        change = "\n".join(f"{k} {text(c.old)} -> {text(c.new)}" for k, c in v.patch.items())
        signed = (_signed(v.delta), _signed(v.lower_bound), _signed(v.noise_floor))
        p_value = "-" if v.p_value is None else f"{v.p_value:.2g}"
        rows(made, [(f"{v.module}\n{change}", verdict_text(v.verdict), *signed, p_value, v.message)])
    return made


def _show_verdict(out: Console, line: VerdictLine) -> None:
    change = ", ".join(f"{k} {text(c.old)} -> {text(c.new)}" for k, c in line.patch.items())
    p_value = "-" if line.p_value is None else f"{line.p_value:.2g}"
    figures = (
        f"difference {_signed(line.delta)}, lower bound {_signed(line.lower_bound)}, "
        f"noise floor {_signed(line.noise_floor)}, p {p_value}"
    )
    out.print(verdict_text(line.verdict), end=" ")
    block(out, f"{line.module}  {change}", figures, line.message)


def _signed(value: float | None) -> str:
    return "-" if value is None else SIZE.format(value)
