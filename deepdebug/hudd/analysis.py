"""Everything that is said about the failures of a model: plain numbers and texts, which are JSON as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.hudd.notes import Note

FORMAT = 3  # of the file; grows with every change that old files do not fit
Quantiles = tuple[float, float, float]  # 5 %, median, 95 %


@dataclass(frozen=True, slots=True)
class Effect:
    """How the members of one cluster differ from all other failures in one parameter.

    Args:
        name: Name of the parameter.
        superiority: Chance that a member has the larger value, equal ones counted half (Vargha and Delaney's A12): 1
            where every member has more than every other failure, 0 where less, 0.5 where neither; `None` for an angle.
        reduction: 1 - variance in the cluster / variance of all failures; 1 where all members are equal. (HUDD, RQ1)
        p_value: Share of random groups of this size that differ as much (permutation); in place, spread or both.
        q_value: The same, adjusted for all clusters and parameters (Benjamini and Hochberg).
        inside: Quantiles of the members.
        outside: Quantiles of the other failures.
        shares: Of a parameter with two values only: the share of members, and of other failures, with the larger one;
            else `None`.
    """

    name: str
    superiority: float | None
    reduction: float
    p_value: float
    q_value: float
    inside: Quantiles
    outside: Quantiles
    shares: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """One cluster.

    Args:
        number: From 1 on; 1 is the largest.
        members: Positions of its images among the failures, the medoid first, then by distance to it.
        p_value: That it is no cluster, adjusted for their number; `None` where there are too few images to judge.
        pairs: Expected class, predicted class and number of members, the most frequent pair first; empty for a
            regression.
        nearest: Numbers of the other clusters and the distance of their centres, the nearest first.
        effects: One for each parameter, the least likely by chance first; empty where no parameters are known.
    """

    number: int
    members: tuple[int, ...]
    p_value: float | None
    pairs: tuple[tuple[str, str, int], ...]
    nearest: tuple[tuple[int, float], ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """Several clusters that are nearer to each other than to the others: perhaps one cause that was divided.

    Args:
        groups: Their numbers, growing.
        p_value: That nothing parts them from the others, adjusted for the number of branches; `None` where there are
            too few images to judge.
    """

    groups: tuple[int, ...]
    p_value: float | None


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What one view alone would give.

    Args:
        name: Name of the layer.
        shape: Shape of one image's relevance.
        clusters: Number of clusters.
        wicd: Weighted mean distance within them (HUDD's score of a layer), in units of its root mean squared distance.
        agreement: Adjusted mutual information with the clusters shown: 1 for the same, 0 for chance.
        agreement_with_others: Its mean with the clusters of the other views; `None` where there are none.
        chosen: Whether the clusters shown are those of this view alone.
    """

    name: str
    shape: tuple[int, ...]
    clusters: int
    wicd: float
    agreement: float
    agreement_with_others: float | None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """What could have been had without heatmaps.

    Args:
        name: "raw pixels" or "pairs of expected and predicted class".
        clusters: Number of clusters.
        agreement: Adjusted mutual information with the clusters shown.
    """

    name: str
    clusters: int
    agreement: float


@dataclass(frozen=True, slots=True)
class Curve:
    """What the number of clusters was read from.

    Args:
        numbers: Numbers of clusters, growing.
        heights: Height of the merge that makes one cluster less of each number.
        wicd: Weighted mean distance within the clusters for each number; empty where not all distances were computed.
        chosen: The number that was chosen.
    """

    numbers: tuple[int, ...]
    heights: tuple[float, ...]
    wicd: tuple[float, ...]
    chosen: int


@dataclass(frozen=True, slots=True)
class VarianceReduction:
    """HUDD's first research question: how many clusters have a parameter whose variance falls by half or more.

    Args:
        share: Share of the clusters.
        by_chance: The same for random groups of the same sizes: small ones nearly always have such a parameter.
        significant: Share of the clusters with a parameter whose fall is not by chance (permutation, false discovery
            rate 5 %).
    """

    share: float
    by_chance: float
    significant: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """The failures of a model, in groups. What is per image stands in the order of `images`.

    Args:
        case: Name of the case.
        model: Name of the model.
        settings: What was done, as pairs of label and value.
        sets: Name, number of images and number of failures of every set.
        left_out: Name and reason of every image that could not be read.
        images: Names of the failing images of the test set.
        losses: Loss of each.
        expected: Name of the right class of each; empty for a regression.
        predicted: Name of the class that the model says, likewise.
        distances: Distance of each to the medoid of its cluster; 1 is the root mean squared distance of two images.
        places: Where each lies on a map on which near images are near; empty for fewer than five images.
        groups: The clusters, the largest first.
        merges: How the clusters would go on to be merged, as rows of scipy's linkage matrix: leaves 0, 1, ... are the
            groups in order, later numbers the rows before; height; number of images.
        branches: The clusters below each row of `merges` but the last, which has all.
        curve: What the number of clusters was read from; `None` where there was nothing to choose.
        layers: What each view alone would give.
        baselines: What could have been had without heatmaps.
        p_value: That there is no cluster at all; `None` where there are too few images to judge.
        level: At or below which a p-value is significant.
        variance_reduction: HUDD's first research question; `None` where no parameters are known.
        notes: What the reader should know.
    """

    case: str
    model: str
    settings: tuple[tuple[str, str], ...]
    sets: tuple[tuple[str, int, int], ...]
    left_out: tuple[tuple[str, str], ...]
    images: tuple[str, ...]
    losses: tuple[float, ...]
    expected: tuple[str, ...]
    predicted: tuple[str, ...]
    distances: tuple[float, ...]
    places: tuple[tuple[float, float], ...]
    groups: tuple[Group, ...]
    merges: tuple[tuple[int, int, float, int], ...]
    branches: tuple[Branch, ...]
    curve: Curve | None
    layers: tuple[LayerFacts, ...]
    baselines: tuple[Baseline, ...]
    p_value: float | None
    level: float
    variance_reduction: VarianceReduction | None
    notes: tuple[Note, ...]

    @property
    def significant(self) -> bool:
        """Whether there are clusters that are not likely by chance."""
        return self.p_value is not None and self.p_value <= self.level


def write_analysis(path: Path, analysis: Analysis) -> Path:
    """Write an analysis as JSON, whole or not at all.

    Args:
        path: The file.
        analysis: The analysis.

    Raises:
        UsageError: When it cannot be written.
    """
    data = _adapter().dump_json(analysis, indent=1) + b"\n"
    return write_file(path, lambda to: to.write_bytes(data), "analysis")


def read_analysis(path: Path) -> Analysis:
    """Read an analysis back.

    Args:
        path: A file of `write_analysis`.

    Raises:
        UsageError: When there is none, or it is no such file.
    """
    try:
        return _adapter().validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"There is no analysis {str(path)!r}. Run `deepdebug hudd cluster` first.") from error
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"The analysis {str(path)!r} cannot be read: {reason}. Run `deepdebug hudd cluster`."
        ) from error


def _adapter() -> TypeAdapter[Analysis]:
    return TypeAdapter(Analysis)
