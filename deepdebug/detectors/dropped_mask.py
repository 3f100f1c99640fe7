"""DD425 dropped-mask."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import following, static_finding
from deepdebug.facts import DataFacts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

Fed = Mapping[str, Sequence[LayerFacts]]
READERS = ("recurrent", "attention")  # families that leave out what the mask covers


@dataclass(frozen=True)
class DroppedMask:
    """Find masks that are lost on their way to the recurrent layer they are made for, or that leave nothing of a row.

    What it does:
        Follows the mask of every `Embedding(mask_zero=True)` and `Masking` to the next recurrent layers, and looks for
        a layer on the way that does not pass it on. Where the mask arrives, there or at an attention layer, it looks
        for rows of the data that hold nothing but the padding id 0.

    Why it matters:
        Without the mask the recurrent layer reads the padding as words. What it read of the text fades over the padding
        steps, the more the shorter the text. A row of padding only has nothing left to read: the layer returns its
        start state or an average of the padding, whatever the label, and a masked mean behind it divides by 0.

    How to fix:
        Set `supports_masking = True` in the layer on the way if it keeps the positions, or move it behind the recurrent
        layer; or drop `mask_zero=True` and pad in front. Drop the rows of padding only, or mend what made them empty,
        such as a text of unknown words that were taken out.

    Args:
        max_empty: Largest share of rows of padding only that is no more than worth knowing. Defaults to `0.001`, our
            first setting: raw text often holds a few empty rows.

    Example:

    >>> DroppedMask().code
    'DD425'
    """

    code: ClassVar[str] = "DD425"
    symptom: ClassVar[str] = "dropped-mask"
    abbreviation: ClassVar[str] = "RNN"
    max_empty: float = 0.001

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per recurrent layer that a mask does not reach, and per embedding of empty rows."""
        masking = [layer for layer in run.facts.layers if _makes_mask(layer)]
        if not masking or not any(layer.family in READERS for layer in run.facts.layers):
            return
        fed = following(run.facts)
        yield from self._lost(masking, fed)
        if run.facts.data is not None:
            yield from self._empty_rows(run.facts.data, fed)

    def _lost(self, masking: Sequence[LayerFacts], fed: Fed) -> Iterator[Finding]:
        reported: set[str] = set()
        for source in masking:
            for recurrent, dropping in _reached(source, fed, ("recurrent",)):
                if recurrent.name not in reported and _is_unmasked(recurrent, dropping):
                    reported.add(recurrent.name)
                    yield self._lost_finding(source, recurrent, dropping)

    def _empty_rows(self, data: DataFacts, fed: Fed) -> Iterator[Finding]:
        for ids in data.inputs:
            embeddings = fed.get("input" if len(data.inputs) == 1 else f"input:{ids.name}", ())
            for layer in embeddings if ids.zero_rows else ():
                readers = _reached(layer, fed, READERS) if layer.family == "embedding" and _makes_mask(layer) else ()
                if any(not _is_unmasked(reader, dropping) for reader, dropping in readers):
                    yield self._empty_rows_finding(layer, ids.name, ids.zero_rows or 0.0, data.complete)

    def _lost_finding(self, source: LayerFacts, recurrent: LayerFacts, dropping: LayerFacts | None) -> Finding:
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

    def _empty_rows_finding(self, embedding: LayerFacts, name: str, share: float, is_complete: bool) -> Finding:
        rows = f"{100 * share:.3g} % of the rows of input '{name}'"
        return static_finding(
            self,
            "warn" if share > self.max_empty else "info",
            f"{rows} hold padding only, so that the mask leaves nothing of them",
            layer=embedding.name,
            location="DATA",
            confidence="certain" if is_complete else "strong",
            value=share,
            threshold=self.max_empty,
            healthy="an id other than 0 in every row",
            evidence={"cause": "empty_rows"},
        )


def _makes_mask(layer: LayerFacts) -> bool:
    return layer.kind == "Masking" or (layer.family == "embedding" and layer.config.get("mask_zero") is True)


def _is_unmasked(reader: LayerFacts, dropping: LayerFacts | None) -> bool:
    """Tell whether no mask arrives: as seen in a call of the model or, where that is not known, by the way there."""
    receives = reader.config.get("receives_mask")
    return dropping is not None if receives is None else receives is False


def _reached(source: LayerFacts, fed: Fed, families: Collection[str]) -> Iterator[tuple[LayerFacts, LayerFacts | None]]:
    """Yield the first layers of these families behind `source`, each with the first on the way that drops the mask."""
    waiting: list[tuple[LayerFacts, LayerFacts | None]] = [(layer, None) for layer in fed.get(source.name, ())]
    done: set[str] = set()
    while waiting:
        layer, dropping = waiting.pop(0)
        if layer.name in done:
            continue
        done.add(layer.name)
        if layer.family in families:
            yield layer, dropping
        elif layer.output_shape is None or len(layer.output_shape) > 1:  # else the time axis is gone, and its mask
            drops = dropping or (layer if layer.config.get("supports_masking") is False else None)
            waiting.extend((following, drops) for following in fed.get(layer.name, ()))
