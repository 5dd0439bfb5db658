"""What research and supervise found, for people: the reading before the result, every verdict with its noise floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from cli.present import rows, table, text, verdict_text

if TYPE_CHECKING:
    from rich.console import Console

    from cli.loop import Researched
    from harness.drafters.port import Reading
    from harness.state import ResearchResult
    from supervisor.result import SuperviseResult, VerdictLine

SIZE = "{:+.3f}"
WIDE = 110
"""Columns from which the wide tables are readable; below, each row is a block of lines."""


def show_research(out: Console, found: Researched) -> None:
    """The reading, then a question, a refusal, or the candidates and the one chosen."""
    result = found.result
    if result.reading is not None:
        show_reading(out, result.reading)
    if result.status == "needs_input":
        out.print(Text("question: ", style="bold yellow").append(text(result.question), style="not bold"))
        if result.unread:
            out.print(f"not read: {', '.join(result.unread)}", markup=False)
        for offered in result.defaults:
            out.print(f"  for example: {offered}", markup=False)
        return
    _show_candidates(out, result)
    if result.status == "refused":
        out.print(Text("refused: ", style="bold red").append(f"{result.message} ({result.reason})", style="not bold"))
        return
    _show_chosen(out, found)


def show_reading(out: Console, reading: Reading) -> None:
    """The claim as it was understood, to be checked at a glance; what was assumed; what was not read."""
    from cli.reading_words import reading_lines

    out.print(rows(table("read as", ""), reading_lines(reading)))


def _show_candidates(out: Console, result: ResearchResult) -> None:
    screens = {s.expr: s for s in result.screens}
    chosen = result.chosen.expr if result.chosen else None
    if out.width < WIDE:
        for c in result.candidates:
            s = screens.get(c.expr)
            mark = "*" if c.expr == chosen else " "
            measured = f": IC {text(s.ic)}, t {text(s.t)}, coverage {text(s.coverage)}" if s else ""
            _block(out, f"{mark} {c.expr}", f"{c.skill}{measured}", c.why)
    made = table("", "candidate", "skill", "IC", "t", "coverage", "why", right=("IC", "t", "coverage"))
    for c in result.candidates:
        s = screens.get(c.expr)
        figures = (s.ic, s.t, s.coverage) if s else (None, None, None)
        rows(made, [("*" if c.expr == chosen else "", c.expr, c.skill, *figures, c.why)])
    if result.candidates and out.width >= WIDE:
        out.print(made)
    for reason in dict.fromkeys(r.reason for r in result.rejected):
        same = [r for r in result.rejected if r.reason == reason]
        others = f" and {len(same) - 1} more" if len(same) > 1 else ""
        out.print(f"not tried: {same[0].expr} ({same[0].skill}){others}: {reason}", markup=False)
    for source in result.sources[:3]:
        out.print(f"published{'' if source.agrees else ', against'}: {source.citation}", markup=False)


def _show_chosen(out: Console, found: Researched) -> None:
    result = found.result
    assert result.chosen is not None, "a drafted result has chosen"
    metrics = result.metrics
    out.print(Text("chosen  ", style="bold").append(result.chosen.expr))
    names = ("net_sharpe", "gross_sharpe", "turnover", "max_drawdown", "ic_mean", "cost_bps_year")
    out.print("        " + ", ".join(f"{n.replace('_', ' ')} {text(metrics[n])}" for n in names if n in metrics))
    for note in dict.fromkeys((*result.notes, *(found.report.warnings if found.report else ()))):
        out.print(Text(f"! {note}", style="red"))
    out.print(f"branch  {result.chosen.branch or 'none'}\nrun     {result.chosen.run_id}", markup=False)
    if found.report:
        out.print(f"report  {found.report.html}", markup=False, soft_wrap=True)


def show_supervision(out: Console, result: SuperviseResult) -> None:
    """Findings, then every verdict with its difference, its bound and the noise floor it had to clear."""
    narrow = out.width < WIDE
    if result.findings and narrow:
        for f in result.findings:
            _block(out, f"{f.miner}  {f.module}", f"{f.size:.3g} {f.unit}, seen {f.occurrences} times", f.statement)
    elif result.findings:
        made = table("finding", "module", "what", "size", "seen", right=("size", "seen"))
        cells = ((f.miner, f.module, f.statement, f"{f.size:.3g} {f.unit}", f.occurrences) for f in result.findings)
        out.print(rows(made, cells))
    else:
        out.print("no finding: the traces hold no pattern that a miner knows")
    if result.verdicts and narrow:
        for line in result.verdicts:
            _show_verdict(out, line)
    elif result.verdicts:
        out.print(verdict_table(result.verdicts))
    else:
        out.print("no patch was judged")
    for note in result.notes:
        out.print(f"note: {note}", markup=False)
    for line in result.verdicts:
        if line.branch is not None:
            out.print(f"waits for review: {line.branch}", markup=False)


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
    _block(out, f"{line.module}  {change}", figures, line.message)


def _block(out: Console, head: str, *below: str) -> None:
    """A table's row where a table would fold to a few letters a column."""
    out.print(Text(head, style="bold"))
    for words in below:
        out.print(Padding(Text(words), (0, 0, 0, 4)))


def _signed(value: float | None) -> str:
    return "-" if value is None else SIZE.format(value)
