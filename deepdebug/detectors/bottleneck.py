"""DD427 bottleneck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.progress import GOOD_SKILL, newest_skill
from deepdebug.detectors.static import CATEGORICAL, SPARSE, following, outputs_with_loss, place, static_finding
from deepdebug.facts import Facts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

LEAST_CLASSES = 3


@dataclass(frozen=True)
class Bottleneck:
    """Find a hidden layer of one unit through which all goes that tells three classes or more apart.

    What it does:
        Follows the data flow back from every output of a categorical cross-entropy. A dense layer of one unit that no
        way from the inputs goes around is a warning, and an error when training has ended with a skill below 0.5.

    Why it matters:
        One number has to hold everything that the later layers see of a row, so that classes can only be ranges of it.

    How to fix:
        Give the layer at least as many units as there are classes.

    Example:

    >>> Bottleneck().code
    'DD427'
    """

    code: ClassVar[str] = "DD427"
    symptom: ClassVar[str] = "bottleneck"
    abbreviation: ClassVar[str] = "BTN"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output behind a layer of one unit, about the first such layer."""
        facts = run.facts
        following(facts)  # or it cannot be judged
        skill = newest_skill(run)
        has_failed = run.finished and skill is not None and skill < GOOD_SKILL
        for output in outputs_with_loss(facts):
            classes = output.units or 0
            name = next(_narrow(facts, output), None) if classes >= LEAST_CLASSES else None
            if name is not None:
                yield static_finding(
                    self,
                    "error" if has_failed else "warn",
                    f"layer '{name}' has one unit, through which all goes by which output '{place(output)}' tells "
                    f"{classes} classes apart",
                    layer=name,
                    value=1.0,
                    threshold=float(classes),
                    healthy="as many units as classes, or more",
                )


def _narrow(facts: Facts, output: OutputFacts) -> Iterator[str]:
    name = output.layer
    if output.loss.kind not in (*CATEGORICAL, *SPARSE) or name is None or not _sees_an_input(facts, name):
        return
    for layer in facts.layers:
        is_hidden = layer.name not in (output.layer, output.activation_layer)
        is_narrow = layer.family == "dense" and layer.output_shape == (1,)
        if is_hidden and is_narrow and not _sees_an_input(facts, name, without=layer.name):
            yield layer.name


def _sees_an_input(facts: Facts, output: str, without: str = "") -> bool:
    """Tell whether a model input reaches a layer by a way that does not lead through another one."""
    layers = {one.name: one for one in facts.layers}
    waiting, done = [output], {without}
    while waiting:
        current = waiting.pop()
        if current not in layers:
            return True
        if current not in done:
            done.add(current)
            waiting.extend(layers[current].inputs or ())
    return False
