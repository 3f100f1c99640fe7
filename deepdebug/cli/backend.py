"""Starts Keras, with an error that says what is missing."""

from __future__ import annotations

import os

from deepdebug.errors import UsageError


def start_keras() -> None:
    """Import Keras with whatever backend it is told to use.

    Raises:
        UsageError: When that fails.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow would fill the screen before the first image
    try:
        import keras  # noqa: F401
    except Exception as error:  # Keras imports whatever backend it is told to
        raise UsageError(
            f"Keras cannot be started: {error}. Expected a backend: install one, as in `pip install "
            "'deepdebug[tensorflow]'`, or name an installed one in the environment variable KERAS_BACKEND."
        ) from error
