"""Imports iNNvestigate beside Keras 3, although it knows only the Keras that TensorFlow had before."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from deepdebug.errors import UsageError

PREFIX = "tensorflow.keras"
SUBMODULES = (
    "activations", "backend", "constraints", "initializers", "layers", "losses", "models", "optimizers",
    "regularizers", "utils",
)  # fmt: skip


@functools.cache
def load() -> tuple[Any, Any, Any]:
    """Return the modules `tensorflow`, `tf_keras` and `innvestigate`.

    While iNNvestigate is imported, `tensorflow.keras` stands for `tf_keras`; afterwards it is what it was.

    Raises:
        UsageError: When one of them is not installed.
    """
    try:
        tensorflow = importlib.import_module("tensorflow")
        tf_keras = importlib.import_module("tf_keras")
        with _standing_in(tensorflow, tf_keras):
            innvestigate = importlib.import_module("innvestigate")
            importlib.import_module("innvestigate.analyzer")
    except ImportError as error:
        raise UsageError(
            f'`engine` got "innvestigate", which needs iNNvestigate 2.1.2 beside TensorFlow and tf_keras: {error}. '
            "Install them with scripts/install_innvestigate; plain pip cannot, because iNNvestigate asks for a "
            "TensorFlow before 2.15."
        ) from error
    return tensorflow, tf_keras, innvestigate


@contextlib.contextmanager
def _standing_in(tensorflow: ModuleType, tf_keras: ModuleType) -> Iterator[None]:
    modules: dict[str, Any] = {f"{PREFIX}.{name}": getattr(tf_keras, name) for name in SUBMODULES}
    modules[PREFIX] = tf_keras
    known = {name: module for name, module in sys.modules.items() if name == PREFIX or name.startswith(f"{PREFIX}.")}
    has_keras, keras_before = "keras" in vars(tensorflow), vars(tensorflow).get("keras")
    for name in known:
        del sys.modules[name]
    sys.modules.update(modules)
    vars(tensorflow)["keras"] = tf_keras
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name == PREFIX or name.startswith(f"{PREFIX}.")]:
            del sys.modules[name]
        sys.modules.update(known)
        if has_keras:
            vars(tensorflow)["keras"] = keras_before
        else:
            del vars(tensorflow)["keras"]
