"""The report of a run: one self-contained HTML page, its pictures, and its numbers as JSON."""

from harness.report.write import ReportPaths, write_report

__all__ = ["ReportPaths", "write_report"]
