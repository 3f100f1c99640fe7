"""deepdebug finds out why a Keras model fails, in training and after it, and says what to do.

from deepdebug import Diagnose
doctor = Diagnose()
model.fit(x, y, callbacks=[doctor])
doctor.report
"""

from typing import TYPE_CHECKING, Any

from deepdebug.errors import DeepDebugError, DiagnosisError, RecordingError, UsageError
from deepdebug.records import Diagnosis, Finding, Fix, Skipped
from deepdebug.version import __version__

if TYPE_CHECKING:
    from deepdebug.callback import Diagnose as Diagnose
    from deepdebug.report.report import Report as Report

__all__ = [
    "DeepDebugError",
    "Diagnose",
    "Diagnosis",
    "DiagnosisError",
    "Finding",
    "Fix",
    "RecordingError",
    "Report",
    "Skipped",
    "UsageError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # Late, so that judging a recorded run loads neither keras nor a backend.
    if name == "Diagnose":
        from deepdebug.callback import Diagnose

        return Diagnose
    if name == "Report":
        from deepdebug.report.report import Report

        return Report
    raise AttributeError(f"module 'deepdebug' has no attribute '{name}'")
