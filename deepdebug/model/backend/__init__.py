"""The few functions that differ between Keras backends, chosen once.

Every module here offers the same functions:

- `values(variables)`: the present values as native tensors, in a form that a compiled function takes as arguments;
- `copies(variables)`: the same, safe from later updates in place;
- `compile_function(function, varying=())`: a compiled version of a function of native tensors, of which the arguments
  at these positions have other numbers of rows from call to call;
- `shared(function)`: the same function of tensors and constants, cheaper to call many times within a compiled one;
- `trace(function, *arguments)`: runs the Python code of a function of native tensors once, for its side effects;
- `value_and_gradients(function, values)`: `function(values)` returns a loss and a payload; the result is
  `(loss, payload, gradients)` with `None` as the gradient of a value on which the loss does not depend;
- `linearized(function, x)`: `function(x)`, and the function that multiplies with its transposed Jacobian at `x`, which
  is a tensor or a list of tensors;
- `as_array(tensor)`: its numbers as a read-only array, without a copy where the backend allows;
- `tapped(function, model, receive)`: a training function that shows each batch to `receive` before it trains on it;
- `undisturbed(model)`: a context manager that puts back what a call of the model may change beside its Keras variables:
  the state of the backend's own random generator and of its own modules inside the model.
"""

from __future__ import annotations

import importlib
from types import ModuleType

import keras

from deepdebug.errors import UsageError

SUPPORTED = ("tensorflow", "jax", "torch")


def current() -> ModuleType:
    """Return the module for the backend in use.

    Raises:
        UsageError: When the backend cannot train models.
    """
    name = keras.config.backend()
    if name not in SUPPORTED:
        raise UsageError(
            f"The Keras backend is '{name}', which deepdebug cannot probe. Expected one of {', '.join(SUPPORTED)}. Set "
            "the environment variable KERAS_BACKEND before importing keras."
        )
    return importlib.import_module(f"deepdebug.model.backend.{name}")
