"""Layer-wise relevance propagation for Keras 3 models: which inputs of every layer speak for the explained output."""

from deepdebug.lrp.composite import COMPOSITES, Composite
from deepdebug.lrp.engine import Explainer, relevance
from deepdebug.lrp.propagate import register_rule
from deepdebug.lrp.result import Conservation, Explained, Relevance

__all__ = [
    "COMPOSITES",
    "Composite",
    "Conservation",
    "Explained",
    "Explainer",
    "Relevance",
    "register_rule",
    "relevance",
]
