"""A look with facts: both lockboxes are opened, each recorded; the run trades from where the first of them begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from modules.lockbox import Purpose, strategy_of
from modules.panel import iso
from modules.workspace import Workspace
from supervisor.promotion.look import look
from tests.modules.facts.files import add_us5_facts
from tests.modules.test_pipeline_facts import VALUE
from tests.pipelines import Desk
from traces.events import Event, LockboxOpened
from traces.ledger import Ledger


@pytest.mark.slow
def test_bars_and_facts_are_opened_together(tmp_path: Path) -> None:
    desk = Desk(tmp_path, facts_name="us5_facts", spec=VALUE)
    add_us5_facts(desk.data, tmp_path)
    manifest = desk.run(desk.task())
    facts = desk.data.current("us5_facts")
    workspace = Workspace(root=tmp_path, home=tmp_path)
    said: list[Event] = []
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:

        def emit(event: Event) -> None:
            ledger.append(event)
            said.append(event)

        purpose = Purpose(manifest.run_id, manifest.digest, strategy_of(manifest), "Ada <ada@example.org>")
        found = look(workspace, manifest, purpose, emit)
    assert [(e.data, e.earlier) for e in said if isinstance(e, LockboxOpened)] == [("us5", 0), ("us5_facts", 0)]
    first = min(desk.version.lockbox_start_ns, facts.lockbox_start_ns)
    assert found.first >= iso(first) and found.first[:7] == iso(first)[:7]
    assert found.last[:10] == iso(desk.version.last_ns)[:10] and found.net_sharpe is not None
