"""The report of a run: one self-contained HTML page, its pictures, and its numbers as JSON."""

from harness.report.beside import Beside
from harness.report.load import open_report
from harness.report.report import RunReport
from harness.report.write import ReportPaths, write, write_report

__all__ = ["Beside", "ReportPaths", "RunReport", "open_report", "write", "write_report"]
