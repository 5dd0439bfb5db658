"""`cws module new|test|draft`: modules in Python, from a template or a model, tested in a sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.errors import CommandError, RequestError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.session import Session
    from harness.coding.state import CodingResult
    from harness.coding.template import Kind
    from harness.coding.trial import Tested
    from harness.progress import Progress

SMALL = "us5"
"""The set that modules are tested on unless another is named: it has every field of a bar."""


def write_new(root: Path, stage: str, name: str, summary: str | None, kind: Kind) -> tuple[str, ...]:
    """Write the files of a new module into the working tree; their paths. Nothing there is ever overwritten."""
    from harness.coding.template import new_module

    said = summary or f"A {stage} module of our own, named {name.replace('_', ' ')}."
    files = new_module(stage, name, said, kind=kind, root=root)
    there = [path for path in files if (root / path).exists()]
    if there:
        raise RequestError(f"{there[0]} is there already", "take another name, or move it away")
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with (root / path).open("xb") as file:
            file.write(body)
    return tuple(files)


def test_folder(session: Session, stage: str, name: str, data: str | None) -> Tested:
    """The tests of a module of the working tree, in a sandbox."""
    from harness.coding.material import material_for
    from harness.coding.trial import try_module
    from harness.sandbox.choose import choose
    from modules.contract import STAGES
    from modules.registry import module_folder
    from modules.task import load_pipeline

    root = session.workspace.root
    wanted = next((s for s in STAGES if s == stage), None)
    folder = module_folder(stage, name, root)
    if wanted is None or not folder.is_dir():
        raise RequestError(f"there is no module {stage}/{name}", "`cws module list` shows what there is")
    found = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in (".py", ".yaml", ".md", ".json"))
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in found}
    spec = load_pipeline(root / "pipeline.yaml")
    material = material_for(wanted, session.workspace, session.version(data or SMALL), spec, session.emit)
    return try_module(stage, name, files, material, choose(), root)


def draft(
    session: Session,
    name: str | None,
    task: str | None,
    resume: str | None,
    *,
    data: str | None,
    llm: str,
    attempts: int,
    max_usd: float,
    progress: Progress,
) -> CodingResult:
    """Write, test, mend, propose; or go on with what was cut off."""
    from harness.coding.code import Workshop, code, resume_coding
    from harness.drafters.port import Allowance

    workshop = Workshop(session.workspace, session.emit, progress)
    if resume is not None:
        return resume_coding(workshop, resume)
    if name is None or task is None:
        raise RequestError("NAME and TASK are needed", 'as in: cws module draft gap_fade "fade overnight gaps"')
    begun: list[str] = []
    try:
        return code(
            workshop,
            name,
            task,
            version=session.version(data or SMALL),
            llm=llm,
            attempts=attempts,
            allowance=Allowance(calls=40, tokens=400_000, cost_usd=max_usd, seconds=900.0),
            started=begun.append,
        )
    except (CommandError, RequestError):
        raise
    except (Exception, KeyboardInterrupt) as error:
        if begun:
            error.add_note(f"go on with: cws module draft --resume {begun[0]}")
        raise


def show_tested(out: Console, tested: Tested, name: str) -> None:
    """Rules that hold, rules that do not."""
    from cli.present import block

    for rule in tested.passed:
        out.print(f"ok      {rule}", markup=False)
    for failure in tested.failures:
        block(out, f"fails   {failure.rule}", failure.words.strip())
    out.print(f"{name}: tested in {tested.sandbox}, {tested.seconds:.1f} s", markup=False)


def show_coding(out: Console, result: CodingResult) -> None:
    """How it ended, and where what was written stands."""
    from cli.present import block

    name = f"{result.stage}/{result.name}"
    out.print(f"{name}: {result.status} after {result.attempts} attempts by {result.coder}", markup=False)
    for failure in result.failures:
        block(out, f"fails   {failure.rule}", failure.words.strip())
    if result.message:
        out.print(result.message, markup=False)
    out.print(f"branch  {result.branch or 'none'}\nfiles   {result.kept_in}", markup=False)
