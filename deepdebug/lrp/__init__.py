"""Layer-wise relevance propagation for Keras 3 models: which inputs of every layer speak for the explained output."""

from deepdebug.lrp.composite import COMPOSITES, Composite
from deepdebug.lrp.engine import Conservation, Explainer, Relevance, relevance
from deepdebug.lrp.propagate import register_rule

__all__ = ["COMPOSITES", "Composite", "Conservation", "Explainer", "Relevance", "register_rule", "relevance"]
