"""Reports of many runs: tables beside the papers', curves and pictures."""
from pgak.reporting.report import write_report

__all__ = ['write_report']
