"""From findings to root causes and their fixes."""

from deepdebug.diagnosis.diagnose import diagnose

__all__ = ["diagnose"]
