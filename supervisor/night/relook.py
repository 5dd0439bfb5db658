"""Looking again where nothing was found: at a module whose settings nobody has tried for long, at a market nobody ran.

Miners find what leaves a trace. A setting that is merely not the best leaves none, and neither does a market that
nobody runs on.
"""

from __future__ import annotations

from collections.abc import Mapping

from ablations.suite import check_period
from modules.artifacts import ArtifactStore
from modules.contract import Stage
from modules.datastore import DataVersion
from modules.manifest import Manifest, ManifestStore
from modules.pipeline import execute
from modules.sources import source_of
from modules.task import load_modules, make_task
from supervisor.proposers.search import Search
from supervisor.workshop import Workshop

MARKET = "data/"
"""Before the name of a data set, where an arm is a market."""

RELOOK = Search(looks=12, name="relook")
"""A short search with no finding to start from, drawn by the night's seed."""


def look_at_market(shop: Workshop, version: DataVersion, stages: Mapping[Stage, str] | None = None) -> Manifest:
    """Run the canonical pipeline, with `stages` in place of its own, on the mining period of a market, as anybody's run
    would be: traced, its manifest kept. Raises TaskError, ContractError and what else a run raises."""
    spec = shop.spec
    through = spec.model_copy(
        update={
            "data": version.name,
            "symbols": None,
            "facts": None,
            "stages": {**spec.stages, **(stages or {})},
            "signal": None if stages else spec.signal,
        }
    )
    task = make_task(through, version, start=version.first_ns, end=version.mining_end_ns)
    check_period(task, version, "mining")
    store = ArtifactStore(shop.workspace.artifacts)
    manifest = execute(
        task, load_modules(task, version), source_of(shop.data, task), store, shop.grouped, purpose="run"
    )
    ManifestStore(shop.workspace.runs).save(manifest)
    return manifest
