"""Recognises metrics by the names that Keras gives them in the logs."""

from __future__ import annotations

from collections.abc import Mapping

VALIDATION = "val_"


def is_loss(name: str) -> bool:
    """Tell whether a log entry is a loss, of the whole model or of one output, for training or validation."""
    return name == "loss" or name.endswith("_loss")


def is_accuracy(name: str) -> bool:
    """Tell whether a log entry is an accuracy: a share of right answers.

    Example:

    >>> [is_accuracy(name) for name in ("val_acc", "head_sparse_categorical_accuracy", "loss")]
    [True, True, False]
    """
    return name in ("acc", "accuracy") or name.endswith(("_acc", "_accuracy"))


def accuracy_name(metrics: Mapping[str, float], validation: bool = False) -> str | None:
    """Return the name of the one plain accuracy in the logs, or `None` where there is none or more than one."""
    names = [
        name
        for name in metrics
        if is_accuracy(name) and "top_k" not in name and name.startswith(VALIDATION) == validation
    ]
    return names[0] if len(names) == 1 else None
