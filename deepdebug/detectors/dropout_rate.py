"""DD422 dropout-rate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import UNKNOWN_LOSSES, config_number, following, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import LEARNING_FAMILIES, Facts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

RATES = ("rate", "dropout", "recurrent_dropout")
DROPPING = ("dropout", "recurrent", "attention")
PASSING_FAMILIES = ("reshape", "dropout")

Fed = Mapping[str, Sequence[LayerFacts]]


@dataclass(frozen=True)
class DropoutRate:
    """Find dropout that removes too much, and dropout or batch normalisation behind the output layer.

    What it does:
        Looks at the rate of every dropout, and for dropout or batch normalisation between the last learning layer and
        the loss.

    Why it matters:
        At rate 0.8 a layer sees a fifth of its inputs: what passes is mostly noise, and the model underfits. Dropout on
        the output sets random predictions to 0; batch normalisation there ties each prediction to the rest of its
        batch.

    How to fix:
        Use a rate of 0.5 or less; put dropout and batch normalisation before the output layer.

    Args:
        max_rate: Largest accepted rate. Defaults to `0.6`, our first setting, not yet calibrated; Srivastava et al.
            (JMLR 2014, section 7.3) found 0.2 to 0.6 flat and worse results beyond.

    Example:

    >>> DropoutRate(max_rate=0.75).code
    'DD422'
    """

    code: ClassVar[str] = "DD422"
    symptom: ClassVar[str] = "dropout-rate"
    abbreviation: ClassVar[str] = "REG"
    max_rate: float = 0.6

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer."""
        facts = run.facts
        if not facts.layers:
            raise NotJudged("the model could not be read")
        late = _behind_output(facts)
        for layer in facts.layers:
            rate = max((config_number(layer, key) or 0.0 for key in RATES if layer.family in DROPPING), default=0.0)
            if layer in late:
                yield self._late(layer, rate)
            elif rate > self.max_rate:
                yield self._high(layer, rate)

    def _high(self, layer: LayerFacts, rate: float) -> Finding:
        return static_finding(
            self,
            "warn",
            f"layer '{layer.name}' drops {rate:.0%} of its inputs in training",
            layer=layer.name,
            confidence="strong",
            value=rate,
            threshold=self.max_rate,
            healthy="a rate of 0.1 to 0.5",
        )

    def _late(self, layer: LayerFacts, rate: float) -> Finding:
        what = "dropout" if layer.family == "dropout" else "batch normalisation"
        return static_finding(
            self,
            "warn",
            f"layer '{layer.name}' applies {what} behind the output layer, to the predictions themselves",
            layer=layer.name,
            value=rate if layer.family == "dropout" else None,
            healthy="dropout and batch normalisation before the output layer",
        )


def _behind_output(facts: Facts) -> list[LayerFacts]:
    """Return dropout and batch normalisation that only reshaping, or an output's activation, separates from a loss."""
    if all(output.loss.kind in UNKNOWN_LOSSES for output in facts.outputs) or facts.fit.custom_train_step:
        return []
    try:
        fed = following(facts)
    except NotJudged:
        return []
    last = max((index for index, one in enumerate(facts.layers) if one.family in LEARNING_FAMILIES), default=-1)
    return [layer for layer in facts.layers[last + 1 :] if last >= 0 and _is_late(layer, fed)]


def _is_late(layer: LayerFacts, fed: Fed) -> bool:
    if layer.kind == "BatchNormalization":
        return _only_families_follow(layer, fed, PASSING_FAMILIES)
    is_dropout = layer.family == "dropout" and bool(config_number(layer, "rate"))
    return is_dropout and _only_families_follow(layer, fed, (*PASSING_FAMILIES, "activation"))


def _only_families_follow(layer: LayerFacts, fed: Fed, families: tuple[str, ...]) -> bool:
    waiting = list(fed.get(layer.name, ()))
    while waiting:
        one = waiting.pop()
        if one.family not in families:
            return False
        waiting.extend(fed.get(one.name, ()))
    return True
