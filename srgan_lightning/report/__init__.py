"""One HTML file of runs and evaluations: tables, charts, and pictures to compare."""

from srgan_lightning.report.page import write_report

__all__ = ["write_report"]
