"""What a reader gets of a campaign: one page that needs nothing else, and the same for the documentation."""

from srcli.reproduction.report.contents import Reproduction
from srcli.reproduction.report.writing import write_report

__all__ = ["Reproduction", "write_report"]
