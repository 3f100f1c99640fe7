"""Reports: a judged run as text, JSON, HTML, JUnit XML or GitHub annotations; renderers decide nothing."""

from deepdebug.report.report import Report

__all__ = ["Report"]
