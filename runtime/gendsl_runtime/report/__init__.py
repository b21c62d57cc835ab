"""The report: one self-contained page, and its figures as files."""

from gendsl_runtime.report.figure import figure
from gendsl_runtime.report.render import render_report

__all__ = ["figure", "render_report"]
