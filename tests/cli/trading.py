"""A promoted run in a checkout of its own, and the commands that trade it as processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from harness.repository import Identity
from harness.validation.store import ValidationStore
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.ingest.adding import AddOptions, add_files
from modules.manifest import Manifest, ManifestStore
from modules.pipeline import execute
from modules.promotion import PromotionSpec
from modules.sources import source_of
from modules.task import load_modules, load_pipeline, make_task
from supervisor.promotion.decide import promote
from supervisor.review import approve
from tests.cli.checkout import Checkout, make_checkout
from tests.supervisor.test_promotion import SIGNAL, report_of
from traces.events import Event
from traces.ledger import Ledger

ADA = Identity("Ada", "ada@example.org")


def settings(path: Path, **values: object) -> None:
    """Other values in force."""
    held = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**held, **values}))


def promoted_in(
    folder: Path, csv: Path, options: AddOptions | None = None, **limits: object
) -> tuple[Checkout, Manifest]:
    """A checkout whose commit promotes a run on `csv` to paper, by a human's merge. `limits`: of the risk core."""
    made = make_checkout(folder)
    settings(made.root / "modules" / "live" / "risk" / "limits.yaml", deadline_ms=1_000, **limits)  # machines are slow
    made.git("commit", "-qa", "--amend", "--no-edit")
    space = made.workspace
    data, store = DataStore(space.data), ArtifactStore(space.artifacts)
    add_files(data, "planted", [csv], options)
    version = data.current("planted")
    task = make_task(load_pipeline(space.root / "pipeline.yaml"), version, signal=SIGNAL)
    with Ledger(space.ledger, space.checkpoints) as ledger:

        def keep(event: Event) -> None:
            ledger.append(event)

        modules = load_modules(task, version)
        modules["size"] = modules["size"].with_settings({"gross_leverage": 0.05})
        modules["execute"] = modules["execute"].with_settings({"capital_usd": 100_000.0})
        manifest = execute(task, modules, source_of(data, task), store, keep)
        ManifestStore(space.runs).save(manifest)
        ValidationStore(space.runs).save(report_of(manifest))
        done = promote(space, manifest, "paper", PromotionSpec(), ADA, keep, lambda _: ADA)
        assert done.branch is not None, done.record
        approve(space, done.branch, keep, by=str(ADA))
    return made, manifest


@contextmanager
def process(at: Checkout, *argv: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A command that stays, and the line that it says when it is ready."""
    env = {**os.environ, "PYTHONPATH": str(at.root), "CWS_HOME": str(at.workspace.home), "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli.main", *argv, "--json"], cwd=at.root, env=env, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as made:  # fmt: skip
        try:
            assert made.stdout is not None and made.stderr is not None
            lines = ""
            while True:
                line = made.stdout.readline()
                assert line, made.stderr.read()
                lines += line
                try:
                    yield made, json.loads(lines)
                    break
                except json.JSONDecodeError:
                    continue
        finally:
            made.send_signal(signal.SIGTERM)
            try:
                made.wait(60)
            except subprocess.TimeoutExpired:
                made.kill()
