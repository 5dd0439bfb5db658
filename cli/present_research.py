"""What research found, for people: the reading before the result, and on request what made each candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from cli.present import WIDE, block, rows, table, text

if TYPE_CHECKING:
    from rich.console import Console

    from cli.loop import Researched
    from harness.drafters.port import Reading
    from harness.result import ResearchResult


def show_research(out: Console, found: Researched, *, explain: bool = False) -> None:
    """The reading, then a question, a refusal, a specification, or the candidates and the one chosen."""
    result = found.result
    if result.status == "specified" and result.specification is not None:
        from harness.specification import to_yaml

        out.print(to_yaml(result.specification), end="", markup=False, soft_wrap=True)
        return
    if result.reading is not None:
        show_reading(out, result.reading)
    for a in result.defaulted:
        out.print(Text("assumed ", style="yellow").append(f"{a.answer}   ({a.question})", style="not bold"))
    if result.status == "needs_input":
        out.print(Text("question: ", style="bold yellow").append(text(result.question), style="not bold"))
        if result.unread:
            out.print(f"not read: {', '.join(result.unread)}", markup=False)
        for offered in result.defaults:
            out.print(f"  for example: {offered}", markup=False)
        return
    _show_candidates(out, result)
    if explain:
        show_origins(out, result)
    if result.status == "refused":
        out.print(Text("refused: ", style="bold red").append(f"{result.message} ({result.reason})", style="not bold"))
        return
    _show_chosen(out, found)


def show_reading(out: Console, reading: Reading) -> None:
    """The claim as it was understood, to be checked at a glance; what was assumed; what was not read."""
    from cli.reading_words import reading_lines

    out.print(rows(table("read as", ""), reading_lines(reading)))


def show_origins(out: Console, result: ResearchResult) -> None:
    """Why each candidate was drafted: the phrases, the skills and the sources behind it; and what became of it."""
    published = {s.key: s.citation for s in result.sources}
    ends = {r.expr: f"not tried: {r.reason}" for r in result.rejected}
    ends |= {
        s.expr: f"tried: rank correlation {text(s.ic)}, t {text(s.t)}, p {text(s.p_value)}" for s in result.screens
    }
    for c in result.candidates:
        lines = [
            f"phrases  {', '.join(c.because.phrases) or 'none'}",
            f"skill    {'; '.join(c.because.skills) or c.skill}",
        ]
        keys = c.because.sources or tuple(published)
        lines += [f"source   {published.get(key, key)}" for key in keys]
        lines += [f"why      {c.why}", ends.get(c.expr, "not looked at")]
        block(out, c.expr, *lines)
    if result.critique is not None:
        block(out, f"critique: {result.critique.decision}", *(r.words for r in result.critique.remarks))


def _show_candidates(out: Console, result: ResearchResult) -> None:
    screens = {s.expr: s for s in result.screens}
    chosen = result.chosen.expr if result.chosen else None
    if out.width < WIDE:
        for c in result.candidates:
            s = screens.get(c.expr)
            mark = "*" if c.expr == chosen else " "
            measured = f": IC {text(s.ic)}, t {text(s.t)}, coverage {text(s.coverage)}" if s else ""
            block(out, f"{mark} {c.expr}", f"{c.skill}{measured}", c.why)
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
    beyond = (s for s in result.sources[3:] if s.agrees is not True)  # a reader wants most what speaks against
    for source in (*result.sources[:3], *beyond):
        out.print(f"published: {source.line}", markup=False)


def _show_chosen(out: Console, found: Researched) -> None:
    from harness.progress import cost_words

    result = found.result
    assert result.chosen is not None, "a drafted result has chosen"
    metrics = result.metrics
    out.print(Text("chosen  ", style="bold").append(result.chosen.expr))
    names = ("net_sharpe", "gross_sharpe", "turnover", "max_drawdown", "ic_mean", "cost_bps_year")
    out.print("        " + ", ".join(f"{n.replace('_', ' ')} {text(metrics[n])}" for n in names if n in metrics))
    for note in dict.fromkeys((*result.notes, *(found.report.warnings if found.report else ()))):
        out.print(Text(f"! {note}", style="red"))
    out.print(f"branch  {result.chosen.branch or 'none'}\nrun     {result.chosen.run_id}", markup=False)
    if cost_words(result.total):
        out.print(f"spent   {cost_words(result.total)}", markup=False)
    if found.report:
        out.print(f"report  {found.report.html}", markup=False, soft_wrap=True)
