"""Composites: which rule each layer gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from deepdebug.errors import UsageError
from deepdebug.lrp import rules
from deepdebug.lrp.affine import Affine

POOLINGS = ("winner", "proportional")


class Rule(Protocol):
    """What a rule is: it takes the relevance of a layer's outputs back to its inputs."""

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a` of one affine map."""
        ...


def _nearly_zero() -> Rule:
    return rules.Epsilon(1e-6)


@dataclass(frozen=True, slots=True)
class Composite:
    """The rule of every layer: by its name, else by its class, else the first layer's own, else by its kind.

    Args:
        dense: Rule of Dense and EinsumDense.
        convolution: Rule of every convolution.
        normalization: Rule of batch norm, layer norm and their like. Defaults to `Epsilon(1e-6)`.
        first: Rule of the layers that read a model input. Defaults to `None`: none of its own.
        max_pooling: "winner" gives all relevance to the largest element, "proportional" shares it by size. Defaults to
            `"winner"`.
        by_name: Rules by layer name. Defaults to none.
        by_type: Rules by layer class, such as `{keras.layers.DepthwiseConv2D: Flat()}`; the first class that fits
            counts. Defaults to none.

    Raises:
        UsageError: When `max_pooling` is none of the two, or something else than a rule is given.
    """

    dense: Rule
    convolution: Rule
    normalization: Rule = field(default_factory=_nearly_zero)
    first: Rule | None = None
    max_pooling: str = "winner"
    by_name: Mapping[str, Rule] | None = None
    by_type: Mapping[type, Rule] | None = None

    def __post_init__(self) -> None:
        """Check the name of the pooling rule, which would be taken for the other one, and that rules are rules."""
        given = {"dense": self.dense, "convolution": self.convolution, "normalization": self.normalization}
        given |= {} if self.first is None else {"first": self.first}
        given |= {f"by_name[{name!r}]": rule for name, rule in (self.by_name or {}).items()}
        given |= {f"by_type[{layer.__name__}]": rule for layer, rule in (self.by_type or {}).items()}
        for place, rule in given.items():
            if isinstance(rule, type) or not hasattr(rule, "propagate"):
                raise UsageError(f"`{place}` got {rule!r}; expected a rule, such as `deepdebug.lrp.rules.ZPlus()`.")
        if self.max_pooling not in POOLINGS:
            raise UsageError(f"`max_pooling` got {self.max_pooling!r}; expected one of {', '.join(POOLINGS)}.")

    def rule(self, name: str, layer: type, kind: str, is_first: bool) -> Rule:
        """Return the rule of one layer.

        Args:
            name: Name of the call: that of the layer, with "#2" and so on where a shared layer is called again.
            layer: Its class.
            kind: "dense", "convolution" or "normalization".
            is_first: Whether it reads a model input.
        """
        by_name = self.by_name or {}
        for known in (name, name.rpartition("#")[0]):  # the name of a layer means all its calls
            if known in by_name:
                return by_name[known]
        by_type = [rule for wanted, rule in (self.by_type or {}).items() if issubclass(layer, wanted)]
        if by_type:
            return by_type[0]
        if is_first and self.first is not None and kind != "normalization":
            return self.first
        chosen: Rule = getattr(self, kind)
        return chosen


COMPOSITES: Mapping[str, Callable[[], Composite]] = {
    # HUDD (IEEE Transactions on Reliability 2021), as its program does it: epsilon is 1e-9 there.
    "hudd": lambda: Composite(rules.ZPlus(), rules.Epsilon(1e-9)),
    "z-plus": lambda: Composite(rules.ZPlus(), rules.ZPlus()),
    "epsilon-plus": lambda: Composite(_nearly_zero(), rules.ZPlus()),
    "epsilon-gamma-box": lambda: Composite(_nearly_zero(), rules.Gamma(0.25), first=rules.ZBox()),
    # The presets A and B of iNNvestigate (Alber et al. 2019), with its treatment of the bias.
    "preset-a": lambda: Composite(rules.Epsilon(0.1), rules.AlphaBeta(1.0, 0.0, bias="whole")),
    "preset-b": lambda: Composite(rules.Epsilon(0.1), rules.AlphaBeta(2.0, 1.0, bias="whole")),
    "epsilon": lambda: Composite(rules.Epsilon(), rules.Epsilon()),
}


def as_innvestigate(composite: Composite) -> Composite:
    """Return the composite with every alpha-beta rule treating the bias as iNNvestigate 2.1.2 does."""
    kinds = ("dense", "convolution", "normalization", "first")
    by_name = {name: _with_whole_bias(rule) for name, rule in (composite.by_name or {}).items()}
    by_type = {layer: _with_whole_bias(rule) for layer, rule in (composite.by_type or {}).items()}
    return replace(
        composite,
        by_name=by_name,
        by_type=by_type,
        **{kind: _with_whole_bias(getattr(composite, kind)) for kind in kinds},
    )


def _with_whole_bias(rule: Any) -> Any:
    return replace(rule, bias="whole") if getattr(rule, "bias", None) == "signed" else rule


def find_composite(given: str | Composite) -> Composite:
    """Return the composite of that name, or the given one.

    Raises:
        UsageError: When there is none of that name.
    """
    if isinstance(given, Composite):
        return given
    if given not in COMPOSITES:
        raise UsageError(f"`composite` got {given!r}; expected one of {', '.join(COMPOSITES)}, or a `Composite`.")
    return COMPOSITES[given]()
