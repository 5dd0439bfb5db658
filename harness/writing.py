"""Writes a chosen signal as a feature module with its specification, report and skill, on a git branch of its own.

Everything written is a function of the hypothesis, the data version and the code: the same research gives the
same tree, and a second run finds its branch as it left it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

from harness.cutoff import Around
from harness.drafters.port import Reading
from harness.literature.quoting import clean
from harness.specification import Specification, SpecSource, reading_of, to_yaml
from harness.state import ResearchState, Screen
from modules.canonical import canonical_json
from modules.workspace import CHECKOUT

TEMPLATES = Path(__file__).resolve().parent / "templates"
PATTERN = "expression"
COPIED = ("__init__.py", "contract.py", "run.py", "acceptance.py", "settings.py")

MOST_LISTED = 8
MAX_LINE = 2_000
REPORTED = (
    "gross_sharpe",
    "net_sharpe",
    "annual_return",
    "annual_volatility",
    "max_drawdown",
    "turnover",
    "cost_share",
    "ic_mean",
    "ic_t_stat",
    "quantile_spread",
    "rank_autocorrelation",
    "coverage",
    "bars",
    "symbols",
    "fills",
    "reduced",
    "rejected",
)


@dataclass(frozen=True)
class Written:
    """The files of a module on its branch, path to bytes."""

    name: str
    branch: str
    files: Mapping[str, bytes]


def module_name(reading: Reading, data: str) -> str:
    """`return_reverts_5_3fa2c1`: what was read and its digest, so that rewordings of a claim share a module."""
    meaning = reading.model_dump(
        mode="json",
        include={
            "event",
            "sign",
            "horizon_bars",
            "skip_bars",
            "threshold",
            "relative",
            "effect_of",
        },
    )
    meaning["conditions"] = [
        c.model_dump(mode="json", exclude=set() if c.event == "calendar" else {"phrase"}) for c in reading.conditions
    ]
    digest = hashlib.sha256(canonical_json([meaning, data]).encode()).hexdigest()[:6]
    ways = ("continues", "reverts") if reading.moves else ("high", "low")
    way = ways[0] if reading.sign > 0 else ways[1]
    horizon = f"_{reading.horizon_bars}" if reading.horizon_bars is not None else ""
    return f"{reading.event}_{way}{horizon}_{digest}"


def branch_of(name: str) -> str:
    """The branch of a module."""
    return f"research/{name.replace('_', '-')}"


def module_files(state: ResearchState, name: str, root: Path = CHECKOUT) -> Written:
    """The files for the state's chosen candidate.

    The code is that of feature/expression under another name, so a written module looks and behaves like the
    hand-written one; what is new is the settings, the README, the specification, the report and the skill.
    """
    if state.chosen is None or state.specification is None:
        raise ValueError(f"research {state.research_id} has chosen nothing to write")
    folder, pattern = f"modules/feature/{name}", root / "modules" / "feature" / PATTERN
    texts = {f"{folder}/{file}": _renamed((pattern / file).read_text(), name, state) for file in COPIED}
    words = _words(state, name)
    for template, path in (
        ("settings.yaml", f"{folder}/settings.yaml"),
        ("README.md", f"{folder}/README.md"),
        ("report.md", f"{folder}/report.md"),
        ("SKILL.md", f"skills/{_skill_name(name)}/SKILL.md"),
    ):
        texts[path] = Template((TEMPLATES / f"{template}.template").read_text()).substitute(words)
    texts[f"{folder}/spec.yaml"] = _spec(state)
    return Written(name, branch_of(name), {path: text.encode() for path, text in sorted(texts.items())})


def message_of(state: ResearchState, name: str) -> str:
    """The commit message."""
    expr = state.chosen.expr if state.chosen else ""
    claim = _one_line(state.specification.claim if state.specification else state.text)
    sources = "".join(f"Source: {_one_line(s.line)}\n" for s in state.sources)
    return f"feature/{name}: {claim[:60]}\n\nHypothesis: {claim}\nSignal: {expr}\nData: {state.data}\n\n{sources}"


def _renamed(text: str, name: str, state: ResearchState) -> str:
    expr = state.chosen.expr if state.chosen else ""
    out = text.replace(f"modules.feature.{PATTERN}", f"modules.feature.{name}").replace(
        f'name="{PATTERN}"', f'name="{name}"'
    )
    out = re.sub(
        r'(    summary=)"[^"]*"', lambda m: f'{m[1]}"A researched signal; README.md says what it claims."', out
    )
    return re.sub(r'(expr: str = Field\()"[^"]*"', lambda m: f'{m[1]}"{expr}"', out)


def _skill_name(name: str) -> str:
    return f"feature-{name.replace('_', '-')}"


def _one_line(text: str) -> str:
    """Words of others as one line of visible text that no markup can break out of: no code, link, picture, mention,
    tag."""
    shown = clean(text, MAX_LINE)
    return " ".join(re.sub(r"[`<>|\\$\[\]]", "", shown).replace("@", " at ").split())


def _quoted(line: str) -> str:
    """A line as a scalar that YAML reads back as it is, whatever it holds."""
    return yaml.safe_dump(line, default_style='"', width=10**6).strip()


def _spec(state: ResearchState) -> str:
    """`spec.yaml`: the claim as it was specified, with the signal that was chosen for it."""
    spec, chosen = state.specification, state.chosen
    assert spec is not None and chosen is not None, "checked by module_files"
    return to_yaml(spec.model_copy(update={"signal": chosen.expr, "skills": dict(sorted(state.skills.items()))}))


def _words(state: ResearchState, name: str) -> dict[str, str]:
    spec, chosen = state.specification, state.chosen
    assert spec is not None and chosen is not None, "checked by module_files"
    reading = reading_of(spec)
    relation = "rise with" if reading.sign > 0 else "fall with"
    window = f"{reading.horizon_bars} bars" if reading.horizon_bars else "no window given"
    return {
        "name": name,
        "skill_name": _skill_name(name),
        "claim": _one_line(spec.claim),
        "claim_quoted": _quoted(_one_line(spec.claim).replace(";", ",")),
        "expr": chosen.expr,
        "data": state.data,
        "event": reading.event,
        "relation": relation,
        "window": window,
        "drafted_by": chosen.skill,
        "novelty": _novelty(state.replication),
        "assumptions": "\n".join(f"* {_one_line(a)}" for a in reading.assumptions) or "* none",
        "sources": "\n".join(f"* {_one_line(s.line)}" for s in state.sources) or "* none found",
        "short_sources": "\n".join(f"  * {_dated(s)}" for s in state.sources[:MOST_LISTED]) or "  * none found",
        "trained": _trained(spec),
        "around": _around(state.around),
        "screens": "\n".join(_screen_row(s, s.expr == chosen.expr) for s in state.screens),
        "rejected": "\n".join(f"* `{r.expr}`: {_one_line(r.reason)}" for r in state.rejected) or "* none",
        "metrics": "\n".join(f"| {k} | {v:.6g} |" for k in REPORTED if (v := state.metrics.get(k)) is not None),
        "run_digest": chosen.run_digest,
    }


def _trained(spec: Specification) -> str:
    if spec.cutoff is None:
        return ""
    return _one_line(f", with {spec.drafter}, trained on data until {spec.cutoff.isoformat()}")


def _around(found: Around | None) -> str:
    if found is None:
        return "No model with a stated end of training had part in the hypothesis: nothing to keep apart."
    rows = ["| | bars | from | to | net Sharpe | rank correlation |", "|---|---|---|---|---|---|"]
    for name, part in (("before", found.before), ("after", found.after)):
        figures = ("none" if v is None else f"{v:.4g}" for v in (part.net_sharpe, part.rank_correlation))
        rows.append(f"| {name} | {part.bars} | {part.first or '-'} | {part.last or '-'} | {' | '.join(figures)} |")
    return "\n".join([_one_line(found.words) + ".", "", *rows])


def _dated(source: SpecSource) -> str:
    """The source in a line of a README: its key and its dates."""
    published = f", published {source.published}" if source.published else ""
    read = f", read on {source.read_on.isoformat()}" if source.read_on else ""
    says = {True: "", False: ", against", None: ", related"}[source.agrees]
    return _one_line(f"{source.key}{published}{read}{says}")


def _novelty(replication: str | None) -> str:
    if replication is not None:
        return f"A replication, not a new idea: {_one_line(replication)}."
    return "New when it was drafted: nothing known, published or of this house, was near."


def _screen_row(screen: Screen, chosen: bool) -> str:
    def show(value: float | None, digits: int) -> str:
        return "none" if value is None else f"{value:.{digits}f}"

    mark = "**chosen** " if chosen else ""
    return (
        f"| {mark}`{screen.expr}` | {show(screen.ic, 4)} | {show(screen.t, 2)} | {show(screen.p_value, 4)} | "
        f"{show(screen.long_short_year, 4)} | {show(screen.turnover, 3)} | {screen.coverage:.2f} |"
    )
