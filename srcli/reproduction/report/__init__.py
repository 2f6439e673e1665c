"""The report of a campaign: a self-contained page, and the same for the documentation."""

from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.writing import write_report

__all__ = ["Reproduction", "write_report"]
