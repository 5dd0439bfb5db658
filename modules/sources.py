"""What a task reads, found in the store: raw bars, and the facts beside them."""

from __future__ import annotations

import polars as pl

from modules.contract import TIME
from modules.crossings import FactsSchema
from modules.datastore import DataStore
from modules.dataversion import DataVersion
from modules.pipeline import FactsSource, RawSource
from modules.task import PipelineSpec, Task

FACT_COLUMNS = tuple(FactsSchema.columns())


def facts_of(data: DataStore, spec: PipelineSpec) -> DataVersion | None:
    """The current version of the facts that a pipeline names; None where it names none. Raises DataError."""
    return None if spec.facts is None else data.current(spec.facts)


def source_of(data: DataStore, task: Task) -> RawSource:
    """The bars of a task, by digest, and its facts. Raises DataError where a version is gone."""
    version = data.get(task.data, task.data_digest)
    return RawSource(version.digest, lambda: data.raw(version), _facts_source(data, task, version))


def _facts_source(data: DataStore, task: Task, bars: DataVersion) -> FactsSource | None:
    if task.facts is None or task.facts_digest is None:
        return None
    facts = data.get(task.facts, task.facts_digest)
    # What was filed in the period that the bars keep for the last test is kept with it.
    before_ns = min(facts.lockbox_start_ns, bars.lockbox_start_ns)
    return FactsSource(facts.digest, before_ns, lambda: open_facts(data, facts, before_ns))


def open_facts(data: DataStore, facts: DataVersion, before_ns: int) -> pl.DataFrame:
    """The facts of a version outside its lockbox that were known before `before_ns`. Holds to FactsSchema."""
    table = data.raw(facts).select(FACT_COLUMNS)
    return table.filter(pl.col("available_at") < pl.lit(before_ns).cast(TIME))
