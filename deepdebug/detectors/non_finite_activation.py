"""DD103 non-finite-activation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Number


@dataclass(frozen=True)
class NonFiniteActivation:
    """Find the first layer whose output is NaN or infinite.

    What it does:
        Looks at every element of every layer's output on the probe rows and names the layer with which it began: at
        the first check with one that is not finite, the first layer in the order in which data flows. The evidence says
        whether that layer's input and weights were finite, so whether it made the value or only passed it on. A layer
        behind which all is finite again, as a mask of minus infinity before a softmax, is a warning.

    Why it matters:
        From such a layer on all outputs, the loss and with the next update all weights are NaN.

    How to fix:
        Input not finite: clean the data. Weights not finite: lower the learning rate and set `clipnorm`. Both finite:
        the operation overflowed (exp, log, division, float16); use a stable form of it or float32.

    Args:
        max_fraction: Largest accepted share of elements that are not finite. Defaults to `0.0`, as in SageMaker
            Debugger's ExplodingTensor.

    Example:

    >>> NonFiniteActivation().code
    'DD103'
    """

    code: ClassVar[str] = "DD103"
    symptom: ClassVar[str] = "non-finite-activation"
    abbreviation: ClassVar[str] = "NS"
    max_fraction: float = 0.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding, for the first layer at the check at which the outputs stopped being finite."""
        if not run.latest.layers:
            raise NotJudged("no layer output was seen at this check; needs a probe of the model")
        if self._is_poisoned(run.latest):
            first, before = gates.onset(run, self._is_poisoned)
            yield self._finding(run, first, before)

    def _is_poisoned(self, seen: Observation) -> bool | None:
        return any(layer.non_finite > self.max_fraction for layer in seen.layers) if seen.layers else None

    def _finding(self, run: Run, now: Observation, before: Observation | None) -> Finding:
        index = next(i for i, layer in enumerate(now.layers) if layer.non_finite > self.max_fraction)
        layer = now.layers[index]
        input_finite, weights_finite = _input_finite(run.facts, now, index), _weights_finite(run.facts, now, layer.name)
        made_here = input_finite is not False and weights_finite is not False
        output_finite = _output_is_finite(run.facts, now)
        contained = made_here and output_finite and not gates.broken(run)
        evidence: dict[str, Number] = {
            "input_finite": input_finite,
            "weights_finite": weights_finite,
            "last_finite_epoch": before.epoch if before else None,
            "learning_rate": gates.optimizer_learning_rate(run, now),
            "gradient_norm_before": before.gradient_norm if before else None,
            "layers_affected": sum(one.non_finite > self.max_fraction for one in now.layers),
            "output_finite": output_finite,
        }
        return finding(
            self,
            now,
            severity="warn" if contained else "fatal",
            confidence="weak" if contained else "certain",
            layer=layer.name,
            location="FW",
            value=layer.non_finite,
            threshold=self.max_fraction,
            message=f"{layer.non_finite:.3g} of the output elements of layer '{layer.name}' are NaN or infinite; "
            f"its input was {_word(input_finite)} and its weights were {_word(weights_finite)}",
            healthy="0; every element of every layer is finite",
            evidence=evidence,
        )


def _word(finite: bool | None) -> str:
    return {True: "finite", False: "not finite", None: "not seen"}[finite]


def _input_finite(facts: Facts, now: Observation, index: int) -> bool | None:
    """Tell whether what entered the first poisoned layer was finite; all layers before it in the flow were."""
    layer = facts.layer(flow.base_name(now.layers[index].name))
    from_data = layer is None or layer.inputs is None or any(flow.is_model_input(name) for name in layer.inputs)
    if not from_data:
        return True
    if facts.data is not None and any(one.non_finite for one in facts.data.inputs):
        return False
    if index > 0 and (layer is None or layer.inputs is None):
        return True
    return None if facts.data is None else True


def _weights_finite(facts: Facts, now: Observation, call: str) -> bool | None:
    paths = {variable.path for variable in facts.variables if variable.layer == flow.base_name(call)}
    seen = [variable for variable in now.variables if variable.path in paths]
    if len(seen) < len(paths):
        return None
    return not any(variable.non_finite for variable in seen)


def _output_is_finite(facts: Facts, now: Observation) -> bool:
    ends = flow.output_layers(facts) or {now.layers[-1].name}
    sound = all(layer.non_finite == 0 for layer in now.layers if flow.base_name(layer.name) in ends)
    return sound and now.loss is not None and math.isfinite(now.loss)
