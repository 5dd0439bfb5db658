"""`python -m ablations.renew [SUITE ...]`: make the committed A/A certificates anew and drop the old ones."""

from __future__ import annotations

import sys

from ablations.ablate import certify
from ablations.certificate import COMMITTED, load_all
from ablations.executors.local import LocalPool
from ablations.suite import SUITES, load_suite
from modules.pipeline import Emit
from modules.workspace import Workspace
from traces.events import Event
from traces.ledger import Ledger

WORKERS = 2


def _appending(ledger: Ledger) -> Emit:
    def emit(event: Event) -> None:
        ledger.append(event)

    return emit


def renew(names: list[str]) -> None:
    """Certify each suite and leave exactly one certificate for it in the committed folder."""
    workspace = Workspace.here()
    for name in names:
        suite = load_suite(name)
        with Ledger(workspace.ledger, workspace.checkpoints) as ledger, LocalPool(WORKERS) as pool:
            certificate = certify(suite, workspace, _appending(ledger), executor=pool, folder=COMMITTED)
        for old in load_all((COMMITTED,)):
            if old.suite == name and old.certificate_id != certificate.certificate_id:
                (COMMITTED / f"{old.certificate_id}.json").unlink()
        sys.stderr.write(
            f"{name}: {certificate.certificate_id}, {certificate.false_ships} of {certificate.patches} worthless "
            f"patches shipped (at most {certificate.upper_bound:.2%}), {certificate.false_discovery_rate:.2%} of what "
            f"shipped in streams, sees {certificate.minimum_detectable} Sharpe\n"
        )


if __name__ == "__main__":
    renew(sys.argv[1:] or sorted(p.stem for p in SUITES.glob("*.yaml")))
