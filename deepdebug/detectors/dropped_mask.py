"""DD425 dropped-mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import following, static_finding
from deepdebug.facts import LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

Fed = Mapping[str, Sequence[LayerFacts]]


@dataclass(frozen=True)
class DroppedMask:
    """Find masks that are lost on their way to the recurrent layer they are made for.

    What it does:
        Follows the mask of every `Embedding(mask_zero=True)` and `Masking` to the next recurrent layers, and looks for
        a layer on the way that does not pass it on.

    Why it matters:
        Without the mask the recurrent layer reads the padding as words. What it read of the text fades over the padding
        steps, the more the shorter the text.

    How to fix:
        Set `supports_masking = True` in the layer on the way if it keeps the positions, or move it behind the recurrent
        layer; or drop `mask_zero=True` and pad in front.

    Example:

    >>> DroppedMask().code
    'DD425'
    """

    code: ClassVar[str] = "DD425"
    symptom: ClassVar[str] = "dropped-mask"
    abbreviation: ClassVar[str] = "RNN"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per recurrent layer that a mask does not reach."""
        masking = [layer for layer in run.facts.layers if _makes_mask(layer)]
        if not masking or not any(layer.family == "recurrent" for layer in run.facts.layers):
            return
        fed = following(run.facts)
        reported: set[str] = set()
        for source in masking:
            for recurrent, dropping in _reached(source, fed):
                if recurrent.name not in reported and _is_unmasked(recurrent, dropping):
                    reported.add(recurrent.name)
                    yield self._finding(source, recurrent, dropping)

    def _finding(self, source: LayerFacts, recurrent: LayerFacts, dropping: LayerFacts | None) -> Finding:
        where = f"is lost in layer '{dropping.name}' and" if dropping is not None else ""
        text = f"the mask of layer '{source.name}' {where} does not reach the recurrent layer '{recurrent.name}'"
        return static_finding(
            self,
            "warn",
            " ".join(text.split()),
            layer=dropping.name if dropping is not None else recurrent.name,
            healthy="every layer between mask and recurrent layer passes the mask on",
            evidence={"mask": source.name, "recurrent": recurrent.name},
        )


def _makes_mask(layer: LayerFacts) -> bool:
    return layer.kind == "Masking" or (layer.family == "embedding" and layer.config.get("mask_zero") is True)


def _is_unmasked(recurrent: LayerFacts, dropping: LayerFacts | None) -> bool:
    """Tell whether no mask arrives: as seen in a call of the model or, where that is not known, by the way there."""
    receives = recurrent.config.get("receives_mask")
    return dropping is not None if receives is None else receives is False


def _reached(source: LayerFacts, fed: Fed) -> Iterator[tuple[LayerFacts, LayerFacts | None]]:
    """Yield the first recurrent layers behind `source`, each with the first layer on the way that drops the mask."""
    waiting: list[tuple[LayerFacts, LayerFacts | None]] = [(layer, None) for layer in fed.get(source.name, ())]
    done: set[str] = set()
    while waiting:
        layer, dropping = waiting.pop(0)
        if layer.name in done:
            continue
        done.add(layer.name)
        if layer.family == "recurrent":
            yield layer, dropping
        elif layer.output_shape is None or len(layer.output_shape) > 1:  # else the time axis is gone, and its mask
            drops = dropping or (layer if layer.config.get("supports_masking") is False else None)
            waiting.extend((following, drops) for following in fed.get(layer.name, ()))
