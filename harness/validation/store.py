"""Validations on disk: one file below a run's folder, believed only if it is whole and of this run.

runs/<run id>/validation.json   the report, with its digest and the digest of the run it belongs to
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.validation.report import Record, ValidationReport
from modules.artifacts import StoreError, write_whole
from modules.manifest import Manifest, RunError

FILE = "validation.json"


class _Entry(Record):
    digest: str
    report: ValidationReport


class ValidationStore:
    """`root` is the folder of the manifests (`Workspace.runs`)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, run_id: str) -> Path:
        """Where the validation of a run lies."""
        return self.root / run_id / FILE

    def save(self, report: ValidationReport) -> Path:
        """Write whole or not at all. Raises StoreError where the disk does not take it."""
        path = self.path(report.run_id)
        entry = _Entry(digest=report.digest, report=report)
        try:
            write_whole(path, (entry.model_dump_json(indent=1) + "\n").encode())
        except OSError as error:
            raise StoreError(f"validation of run {report.run_id}", path.parent, error) from error
        return path

    def load(self, manifest: Manifest) -> ValidationReport:
        """The last validation of a run. Raises RunError where there is none, it was changed, or is of other bits."""
        path = self.path(manifest.run_id)
        remedy = f"run `cws validate {manifest.run_id}`"
        try:
            entry = _Entry.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise RunError(f"run {manifest.run_id} was not validated; {remedy}") from None
        except (OSError, ValidationError) as error:
            raise RunError(f"validation {path} cannot be read ({type(error).__name__}); {remedy} again") from error
        if entry.report.digest != entry.digest:
            raise RunError(f"validation {path} does not give its digest: it was changed; {remedy} again")
        if entry.report.run_digest != manifest.digest:
            raise RunError(f"validation {path} is of other bits ({entry.report.run_digest[:12]}); {remedy} again")
        return entry.report
