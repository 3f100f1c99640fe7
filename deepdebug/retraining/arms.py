"""The arms of the comparison: which images each has labelled, and what it puts into the bag.

HUDD      the unsafe set, every cluster drawn to the same size
BL1       a random draw, of which only the images that the model gets wrong go into the bag
BL2       a random draw, all of which goes into the bag
entropy   the images whose classes the model is least sure about

All arms have the same number of images labelled, and bags of the same size (HUDD, section IV-D; its code gave the
baselines fewer labels). The validation share of the labelled images, in HUDD of every cluster, is kept apart before the
bag is drawn; of these a bag is drawn as well, which has the same size in all arms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from deepdebug.errors import UsageError
from deepdebug.retraining.assigning import Chosen, Ints
from deepdebug.retraining.bags import balanced_bag

ARMS = ("HUDD", "BL1", "BL2", "entropy")
Wrong = Callable[
    [Ints], npt.NDArray[np.bool_]
]  # rows of the improvement set -> which the model gets wrong; asks labels


@dataclass(frozen=True, slots=True)
class Plan:
    """One retraining, decided before it begins.

    Args:
        arm: One of `ARMS`.
        run: Its number, from 1.
        seed: Of everything random in it; the same in all arms.
        labelled: Images of the improvement set that were labelled for it, as rows.
        training: Images of the training set that it trains on, as rows.
        training_apart: Those by which the epoch is chosen.
        bag: Images of the improvement set that it trains on, as rows, some of them several times.
        bag_apart: Those by which the epoch is chosen, likewise.
        note: What a reader should know, such as that the bag is empty. Defaults to nothing.
    """

    arm: str
    run: int
    seed: int
    labelled: Ints
    training: Ints
    training_apart: Ints
    bag: Ints
    bag_apart: Ints
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pool:
    """What the plans are made from.

    Args:
        training: Number of images of the training set.
        improvement: Number of images of the improvement set.
        unsafe: The unsafe set, without images that nobody could label.
        bag_size: Images of every cluster in HUDD's bag: those of the cluster with the most.
        scores: Scores before the last activation of every image of the improvement set, (images, classes); `None` for
            a regression.
        wrong: Says which images the model gets wrong, once they are labelled.
        validation: Share that is kept apart.
        weights: How HUDD's bag is drawn; see `balanced_bag`. Defaults to "uniform".
        marked: Images of the improvement set that nobody can label, as rows; the baselines draw others in their place.
            Defaults to none.
        drawn: Images that the baselines draw first: those of the unsafe set before marked ones were taken out of it, so
            that a new mark changes nothing else. Defaults to `None`: as many as are in it.
    """

    training: int
    improvement: int
    unsafe: Chosen
    bag_size: int
    scores: npt.NDArray[np.floating] | None
    wrong: Wrong
    validation: float
    weights: str = "uniform"
    marked: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    drawn: int | None = None


def plan(pool: Pool, arm: str, run: int, seed: int) -> Plan:
    """Decide one retraining.

    Args:
        pool: What it is made from.
        arm: One of `ARMS`.
        run: Its number, from 1; runs differ in what is drawn, arms of the same run share everything but the images.
        seed: Of all runs.

    Raises:
        UsageError: When there is no such arm, or it needs classes and there are none.
    """
    if arm not in ARMS:
        raise UsageError(f"`--mode` got {arm!r}; expected some of {', '.join(ARMS)}.")
    budget = len(pool.unsafe)
    if not budget:
        raise UsageError("The unsafe set is empty, so there is nothing to retrain with.")
    own = int.from_bytes(hashlib.sha256(f"{seed} {run}".encode()).digest()[:4], "little") >> 1
    shuffled = np.random.default_rng([own, 0]).permutation(pool.training)
    apart = round(pool.validation * pool.training)
    random = np.random.default_rng([own, 1])
    labelled, note = _labelled(pool, arm, random, own), ""
    usable = labelled
    if arm == "BL1":
        usable = labelled[pool.wrong(labelled)]
        note = "" if len(usable) else "The model gets none of the labelled images wrong, so the bag is empty."
    bag, bag_apart = _bags(pool, arm, usable, random)
    return Plan(arm, run, own, labelled, shuffled[apart:], shuffled[:apart], bag, bag_apart, note)


def check_fair(plans: Sequence[Plan]) -> None:
    """Make sure that all arms have the same budget, seeds and training images.

    Args:
        plans: All plans.

    Raises:
        RuntimeError: When they have not, which would be a fault of this program.
    """
    largest, largest_apart = (max((len(bag) for bag in bags), default=0) for bags in _both(plans))
    first = {one.run: one for one in reversed(plans)}
    for one in plans:
        other = first[one.run]
        terms = {
            "labels": len(np.unique(one.labelled)) == len(one.labelled) == len(plans[0].labelled),
            "bag": len(one.bag) == (largest if len(one.bag) else 0),
            "bag kept apart": len(one.bag_apart) == (largest_apart if len(one.bag_apart) else 0),
            "bag of its own labels": np.isin(np.concatenate([one.bag, one.bag_apart]), one.labelled).all(),
            "images kept apart": not np.isin(one.bag, one.bag_apart).any(),
            "seed": one.seed == other.seed,
            "training images": np.array_equal(one.training, other.training),
            "training images kept apart": np.array_equal(one.training_apart, other.training_apart),
        }
        broken = [name for name, holds in terms.items() if not holds]
        if broken:
            raise RuntimeError(f"run {one.run}: the arm {one.arm} has not the same terms as the others: {broken}")


def _both(plans: Sequence[Plan]) -> tuple[list[Ints], list[Ints]]:
    return [one.bag for one in plans], [one.bag_apart for one in plans]


def by_entropy(scores: npt.NDArray[np.floating], number: int) -> Chosen:
    """Choose the images whose predicted classes are least sure, by the entropy of their softmax.

    Args:
        scores: Array of shape (images, classes), before the softmax; one column stands for the second of two classes.
        number: How many.

    Returns:
        The images, the least sure first; `distances` are 1 - entropy / log(classes).
    """
    if scores.shape[1] == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    chances = special.softmax(np.asarray(scores, np.float64), axis=1)
    sure = 1 - special.entr(chances).sum(axis=1) / np.log(scores.shape[1])
    images = np.argsort(sure, kind="stable")[:number].astype(np.int64)
    nowhere = np.full(len(images), -1, np.int64)
    return Chosen(images, nowhere, np.zeros_like(nowhere), sure[images])


def _labelled(pool: Pool, arm: str, random: np.random.Generator, seed: int) -> Ints:
    budget = len(pool.unsafe)
    if arm == "HUDD":
        return pool.unsafe.images
    if arm == "entropy":
        if pool.scores is None:
            raise UsageError(
                "The arm 'entropy' goes by how sure a classifier is, and this is a regression. Leave it out."
            )
        least_sure = by_entropy(pool.scores, len(pool.scores)).images
        return least_sure[~np.isin(least_sure, pool.marked)][:budget]
    drawn = random.choice(pool.improvement, pool.drawn or budget, replace=False).astype(np.int64)
    others = np.random.default_rng([seed, 3]).permutation(pool.improvement)
    ranked = np.concatenate([drawn, others[~np.isin(others, drawn)]])
    return np.sort(ranked[~np.isin(ranked, pool.marked)][:budget])


def _bags(pool: Pool, arm: str, images: Ints, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Keep some images apart, and draw both bags."""
    num_clusters, is_ours = len(np.unique(pool.unsafe.clusters)), arm == "HUDD"
    clusters = pool.unsafe.clusters if is_ours else np.zeros(len(images), np.int64)
    distances = pool.unsafe.distances if is_ours else np.zeros(len(images))
    weights = pool.weights if is_ours else "uniform"
    size, size_apart = num_clusters * pool.bag_size, num_clusters * round(pool.validation * pool.bag_size)
    apart = _apart(clusters, pool.validation if size_apart else 0.0, random)
    found = []
    for chosen, wanted in ((~apart, size), (apart, size_apart)):
        drawn = balanced_bag(clusters[chosen], distances[chosen], random, size=wanted, weights=weights)
        found.append(images[chosen][drawn])
    return found[0], found[1]


def _apart(clusters: Ints, share: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return which images are kept apart: a share of every cluster, none of a cluster too small for it."""
    apart = np.zeros(len(clusters), np.bool_)
    for cluster in np.unique(clusters):
        members = random.permutation(np.flatnonzero(clusters == cluster))
        apart[members[: round(share * len(members))]] = True
    return apart
