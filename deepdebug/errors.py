"""The errors deepdebug raises on purpose; every one says what came, what was expected and what to do."""


class DeepDebugError(Exception):
    """Base of every error that deepdebug raises on purpose."""


class UsageError(DeepDebugError, ValueError):
    """An argument, an option or an input file cannot be used."""


class RecordingError(UsageError):
    """A recorded run cannot be read back."""


class ImageError(UsageError):
    """An image cannot be read, or cannot become the input of the model."""


class DiagnosisError(DeepDebugError, RuntimeError):
    """Raised by `Diagnose(action="raise")` when a finding of severity "error" or "fatal" appears.

    Args:
        message: The finding, in words.
        report: The `Report` at the moment of raising.
    """

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class NotJudged(DeepDebugError):
    """Raised inside a detector that lacks the data it needs; the text says what was missing."""


def wrong_value(source: str, value: object, expected: str) -> UsageError:
    """Return the error for a setting that cannot be used.

    Args:
        source: Which setting, and where it stands, such as "`--size`".
        value: What came.
        expected: What could have come.
    """
    return UsageError(f"{source} is {value!r}; expected {expected}.")
