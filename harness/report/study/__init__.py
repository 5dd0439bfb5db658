"""Statistics of a run beyond its headline: pure functions of its series, a file a question. Nothing here is drawn."""

from harness.report.study.study import Study, study

__all__ = ["Study", "study"]
