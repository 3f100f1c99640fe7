"""What `deepdebug lrp` does: images through the model, relevance back, files out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from deepdebug.case.preprocessing import Preprocessing, model_input
from deepdebug.case.sources import Source, completed, read_batches
from deepdebug.cli.backend import start_keras
from deepdebug.cli.lrp_folder import INPUT, ResultFolder
from deepdebug.cli.lrp_results import Results
from deepdebug.errors import ImageError, UsageError
from deepdebug.files import readable
from deepdebug.report.conservation import LayerSums
from deepdebug.report.contact_sheet import MAX_ENTRIES
from deepdebug.version import __version__

if TYPE_CHECKING:
    import keras

    from deepdebug.lrp import Conservation, Explained, Relevance
    from deepdebug.model.saved import ImageInput

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be explained, and how.

    Args:
        model: A `.keras` file.
        sources: The images, one or more.
        out: Folder for the results.
        preprocessing: What was said about it. Defaults to nothing.
        composite: Name of a composite. Defaults to `"epsilon-plus"`.
        target: "predicted", "largest" or an index. Defaults to `"predicted"`.
        layers: Names of layers whose relevance is kept beside that of the input. Defaults to none.
        on_unknown: "error" or "gradient", for layers without a rule. Defaults to `"error"`.
        batch_size: Images in a batch. Defaults to `32`.
        overwrite: Whether an earlier result is replaced. Defaults to `False`.
        skip_unreadable: Whether an image that cannot be read is left out instead of ending the run. Defaults to
            `False`.
    """

    model: Path
    sources: tuple[Source, ...]
    out: Path
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    composite: str = "epsilon-plus"
    target: Literal["predicted", "largest"] | int = "predicted"
    layers: tuple[str, ...] = ()
    on_unknown: str = "error"
    batch_size: int = 32
    overwrite: bool = False
    skip_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did.

    Args:
        images: Number of explained images.
        pictures: Number of pictures.
        arrays: Number of arrays.
        sums: Conservation, one record per layer, in the order in which data flow.
        scores: Sum of the explained scores.
        arrived: Sum of the relevance of the input.
        skipped: Images that were left out, with the reason.
        notes: What else a user should know.
    """

    images: int
    pictures: int
    arrays: int
    sums: tuple[LayerSums, ...]
    scores: float
    arrived: float
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def explain_images(request: Request, advance: Callable[[int], object]) -> Outcome:
    """Explain the images and write the results.

    Args:
        request: What is to be done.
        advance: Is told how many images are done after each batch, those left out included.

    Raises:
        UsageError: When model, images and options do not fit together, or something cannot be read or written.
    """
    folder = ResultFolder(request.out, [source.name for source in request.sources], request.layers, request.overwrite)
    start_keras()
    from deepdebug.model.saved import image_input, load_model

    model = load_model(request.model)
    given = image_input(model)
    preprocessing = completed(request.preprocessing, request.sources, given.shape, given.rescaled_by is not None)
    skipped: list[tuple[str, str]] = []

    def unreadable(number: int, error: ImageError) -> None:
        if not request.skip_unreadable:
            raise ImageError(f"{error} With --skip-unreadable such images are left out.") from error
        skipped.append((readable(request.sources[number].path), str(error)))
        advance(1)

    explain = _Explanation(request, model, given)
    channels = 1 if len(given.shape) == 2 else given.shape[2]
    with Results(folder, request.sources, request.layers) as results:
        for batch in read_batches(request.sources, preprocessing, channels, explain.batch_size, unreadable):
            x = model_input(batch.pixels, preprocessing)
            results.add(batch, *explain(x[..., 0] if len(given.shape) == 2 else x))
            advance(len(batch.numbers))
        if not results.rows:
            raise UsageError(
                f"None of the {len(skipped)} images can be read, so there is nothing to explain. The first one: "
                f"{skipped[0][1]}"
            )
    results.finish(_title(request), _facts(request, preprocessing, skipped))
    return Outcome(
        len(results.rows),
        results.pictures,
        len(results.layers),
        results.sums(),
        results.scores,
        results.arrived,
        tuple(skipped),
        tuple(_notes(request, results, given)),
    )


class _Explanation:
    """Explains one batch after the other; everything is compiled at the first one."""

    def __init__(self, request: Request, model: keras.Model, given: ImageInput) -> None:
        from deepdebug.lrp import Explainer

        self.batch_size = _batch_size(request, given)
        self._request = request
        self._model = model
        self._explain = Explainer(
            model,
            composite=request.composite,
            layers=_checked_layers(request.layers, model),
            on_unknown=request.on_unknown,
        )

    def __call__(self, x: Array) -> tuple[Explained, dict[str, Array], Sequence[Conservation]]:
        """Return the explained outputs, the relevance of the input and of every layer, and the conservation."""
        relevance = self._relevance(x)
        arrays = {INPUT: relevance.inputs[0].astype("float32", copy=False)}
        arrays |= {layer: _of_layer(relevance, layer) for layer in self._request.layers}
        return relevance.explained, arrays, relevance.conservation

    def _relevance(self, x: Array) -> Relevance:
        try:
            return self._explain(x, self._request.target)
        except UsageError:
            raise
        except Exception as error:  # each backend has errors of its own for what does not fit
            raise UsageError(
                f"The model '{self._model.name}' cannot take images of the shape {x.shape}: "
                f"{' '.join(str(error).split())[:400]} Pass the --size and --colour that it was trained on, or a "
                "smaller --batch-size where the memory is full."
            ) from error


def _of_layer(relevance: Relevance, layer: str) -> Array:
    if layer not in relevance:
        raise UsageError(
            f"No relevance comes to layer '{layer}', because the explained output does not depend on it. Leave it out."
        )
    return relevance[layer].astype("float32", copy=False)


def _checked_layers(names: Sequence[str], model: keras.Model) -> list[str]:
    """Return the names of layers without the number of the call ("conv#2" is the second call of "conv")."""
    from deepdebug.model.record import leaves

    known = leaves(model)
    layers = [name if name in known else name.rpartition("#")[0] for name in names]
    unknown = [repr(name) for name, layer in zip(names, layers, strict=True) if layer not in known]
    if unknown:
        raise UsageError(
            f"`--layer` got {', '.join(unknown)}; the model '{model.name}' has the layers {', '.join(known)}."
        )
    return layers


def _batch_size(request: Request, given: ImageInput) -> int:
    if given.rows is None:
        return request.batch_size
    if len(request.sources) % given.rows:
        raise UsageError(
            f"The model takes exactly {given.rows} images at a time, which does not divide the {len(request.sources)} "
            "given ones. Pass a multiple, or save the model with a free batch size."
        )
    return given.rows


def _title(request: Request) -> str:
    target = request.target if isinstance(request.target, str) else f"output {request.target}"
    return f"{request.model.name}: relevance by composite {request.composite}, explained: {target}"


def _facts(request: Request, used: Preprocessing, skipped: Sequence[tuple[str, str]]) -> dict[str, Any]:
    import keras

    return {
        "model": readable(request.model),
        "composite": request.composite,
        "target": request.target,
        "on_unknown": request.on_unknown,
        "preprocessing": asdict(used),
        "versions": {"deepdebug": __version__, "keras": keras.__version__, "numpy": np.__version__},
        "backend": keras.config.backend(),
        "skipped": [{"file": file, "reason": reason} for file, reason in skipped],
    }


def _uneven(results: Results) -> Iterator[str]:
    """Say how the share that arrives differs between images: sums hide where parts cancel."""
    shares = [(row["relevance"] / row["score"], row["file"]) for row in results.rows if row["score"] and row["finite"]]
    if len(shares) > 1:
        (least, first), (most, last) = min(shares), max(shares)
        median = float(np.median([share for share, _ in shares]))
        yield (
            f"Per image {median:.1%} arrive in the median, from {least:.1%} ({Path(first).name}) to {most:.1%} "
            f"({Path(last).name})."
        )


def _notes(request: Request, results: Results, given: ImageInput) -> Iterator[str]:
    if given.rescaled_by is not None and request.preprocessing.scale is None:
        yield f"The model rescales by itself in layer '{given.rescaled_by}', so the values were not scaled."
    elif given.rescaled_by is not None and request.preprocessing.scale != 1.0:
        yield (
            f"Warning: the model rescales by itself in layer '{given.rescaled_by}', and --scale or the case file "
            "scaled the images before. Leave the scale out if the model was trained on images as they are."
        )
    yield from _uneven(results)
    undrawn = [layer for layer in results.layers if layer not in results.drawn]
    if undrawn:
        yield f"Not drawn, because its shape is not that of a picture (its array is there): {', '.join(undrawn)}."
    if len(results.rows) > MAX_ENTRIES:
        yield f"The contact sheet shows the first {MAX_ENTRIES} of {len(results.rows)} images."
    negative = sum(row["score"] < 0 for row in results.rows)
    if negative:
        yield (
            f"The explained score of {negative} images is negative. Rules that follow positive contributions alone "
            "(z-plus, and hudd in dense layers) turn the colours of these around."
        )
    broken = [row["file"] for row in results.rows if not row["finite"]]
    if broken:
        yield f"The relevance of {len(broken)} images is not finite everywhere, such as that of {broken[0]!r}."
