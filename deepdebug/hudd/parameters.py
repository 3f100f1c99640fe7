"""How clusters differ from the other failures in what is known of the images.

Two questions, both against random groups of the same sizes. First, in which parameters does a cluster differ at all?
Every parameter is turned into scores per image, which measure place and spread together: rank and squared rank (Lepage
1971, with Mood's scores for the spread); for an angle cosine and sine, also of twice the angle, so that opposite
directions are seen. Second, HUDD's own question (Fahmy et
al., IEEE Transactions on Reliability 2021, RQ1): in how many clusters does the variance of a parameter fall by half?
Alone that proves little, for among 13 parameters a random group of ten has such a one in four of five cases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control, rankdata

from deepdebug.errors import UsageError
from deepdebug.hudd.analysis import Effect, Quantiles, VarianceReduction
from deepdebug.hudd.linkage import Labels

Floats = npt.NDArray[np.float64]
PERMUTATIONS = 4999  # the smallest p-value is 1 / 5000, which survives the adjustment for some 250 tests
FEWER_PERMUTATIONS, MANY = 999, 500_000  # images times clusters from which the time counts
RATE = 0.05  # false discovery rate
LEAST_REDUCTION = 0.5  # HUDD's criterion
TURN = 360.0  # angles are in degrees


def effects(
    labels: Labels, columns: Mapping[str, npt.ArrayLike], *, angles: Collection[str] = (), seed: int = 0
) -> tuple[tuple[Effect, ...], ...]:
    """Return how each cluster differs from all other images in each parameter.

    Args:
        labels: Array of shape (N,) of labels 0, 1, ...; -1 stands for no cluster.
        columns: Arrays of shape (N,) of numbers by the name of the parameter; NaN where nothing is known.
        angles: Names of those that are angles in degrees, of which 0 and 360 are the same. Defaults to none.
        seed: Of the random groups. Defaults to 0.

    Returns:
        For every cluster one effect per parameter that is not constant, the least likely by chance first.

    Raises:
        UsageError: When a column has another number of rows.
    """
    table = _table(labels, columns, angles)
    members = _members(labels)
    if not table or not len(members):
        return ((),) * len(members)
    scored = [column.scores() for column in table]
    scores = np.stack([score for one in scored for score in one], axis=1)
    starts = np.cumsum([0, *map(len, scored[:-1])])
    observed = _differences(members, scores, starts)
    orders = _orders(members, seed)
    p_values = _p_values(observed, (_differences(members[:, order], scores, starts) for order in orders))
    q_values = _adjusted(p_values)
    reductions = _Moments.of(table).reductions(members)
    found = []
    for label in range(len(members)):
        places = np.lexsort((-observed[label], p_values[label]))
        parts = ((place, *table[place].divided(labels == label)) for place in places)
        found.append(
            tuple(
                Effect(
                    table[place].name,
                    None if table[place].is_angle else _superiority(ours, theirs),
                    float(reductions[label, place]),
                    float(p_values[label, place]),
                    float(q_values[label, place]),
                    table[place].quantiles(ours),
                    table[place].quantiles(theirs),
                    table[place].shares(ours, theirs),
                )
                for place, ours, theirs in parts
                if len(ours) > 1 and len(theirs)  # of a single image every value is narrow
            )
        )
    return tuple(found)


def variance_reduction(
    labels: Labels, columns: Mapping[str, npt.ArrayLike], *, angles: Collection[str] = (), seed: int = 0
) -> VarianceReduction:
    """Return how many clusters have a parameter whose variance is at most half of that of all images.

    Args:
        labels: Array of shape (N,) of labels 0, 1, ...; -1 stands for no cluster.
        columns: Arrays of shape (N,) of numbers by the name of the parameter; NaN where nothing is known.
        angles: Names of angles in degrees, whose variance is the circular one. Defaults to none.
        seed: Of the random groups. Defaults to 0.

    Raises:
        UsageError: When a column has another number of rows, or none tells images apart.

    >>> labels = np.repeat([0, 1], 50)
    >>> light = np.concatenate([np.linspace(0.2, 0.3, 50), np.linspace(0.2, 1.2, 50)])
    >>> variance_reduction(labels, {"light": light}).share
    0.5
    """
    table = _table(labels, columns, angles)
    members = _members(labels)
    if not table or not len(members):
        raise UsageError("There is no cluster, or no parameter that differs between images, so no variance can fall.")
    moments = _Moments.of(table)
    observed = moments.reductions(members)
    by_chance: list[float] = []

    def random() -> Iterator[Floats]:
        for order in _orders(members, seed):
            one = moments.reductions(members[:, order])
            by_chance.append(float((one >= LEAST_REDUCTION).any(axis=1).mean()))
            yield one

    enough = observed >= LEAST_REDUCTION
    significant = enough & (_adjusted(_p_values(observed, random())) <= RATE)
    return VarianceReduction(
        share=float(enough.any(axis=1).mean()),
        by_chance=float(np.mean(by_chance)),
        significant=float(significant.any(axis=1).mean()),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """One parameter; NaN where nothing is known."""

    name: str
    values: Floats
    is_angle: bool

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        return ~np.isnan(self.values)

    def scores(self) -> tuple[Floats, ...]:
        """Return scores per image, of mean 0 and variance 1 or 0; 0 where nothing is known."""
        values = self.values[self.known]
        if self.is_angle:
            turned = np.radians(values)
            return tuple(self._standard(one(times * turned)) for times in (1, 2) for one in (np.cos, np.sin))
        centred = 2.0 * rankdata(values) / (len(values) + 1) - 1.0
        return self._standard(centred), self._standard(centred**2)

    def _standard(self, score: Floats) -> Floats:
        full = np.zeros(len(self.values))
        deviation = score.std(ddof=1)
        full[self.known] = (score - score.mean()) / deviation if deviation > 1e-12 else 0.0
        return full

    def shares(self, ours: Floats, theirs: Floats) -> tuple[float, float] | None:
        """Return the shares of the larger value, for a parameter that has two values; else `None`."""
        values = np.unique(self.values[self.known])
        if len(values) > 2 or self.is_angle:
            return None
        return float((ours == values[-1]).mean()), float((theirs == values[-1]).mean())

    def divided(self, inside: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return the known values of some images, and those of the others."""
        return self.values[inside & self.known], self.values[~inside & self.known]

    def quantiles(self, values: Floats) -> Quantiles:
        """Return the 5 %, 50 % and 95 % quantiles; of angles, seen from their mean direction."""
        middle = 0.0
        if self.is_angle:
            middle = float(np.degrees(np.angle(np.exp(1j * np.radians(values)).mean())))
            values = (values - middle + TURN / 2) % TURN - TURN / 2
        low, half, high = (float(one) + middle for one in np.quantile(values, (0.05, 0.5, 0.95)))
        return (low % TURN, half % TURN, high % TURN) if self.is_angle else (low, half, high)


@dataclass(frozen=True, slots=True)
class _Moments:
    """What the variances of any group follow from: arrays of shape (N, parameters), 0 where nothing is known.

    Value and square, of a parameter less its mean, or cosine and sine of an angle.
    """

    known: Floats
    first: Floats
    second: Floats
    is_angle: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, table: Sequence[_Column]) -> _Moments:
        known = np.stack([column.known for column in table], axis=1)
        is_angle = np.array([column.is_angle for column in table])
        values = np.stack([column.values for column in table], axis=1)
        largest = np.nanmax(np.abs(values), axis=0)
        scaled = values / np.where(largest > 0, largest, 1.0)  # their squares shall not leave the range of numbers
        values = np.where(is_angle, np.radians(values), scaled - np.nanmean(scaled, axis=0))
        first = np.where(is_angle, np.cos(values), values)
        second = np.where(is_angle, np.sin(values), values**2)
        return cls(known.astype(np.float64), np.where(known, first, 0.0), np.where(known, second, 0.0), is_angle)

    def reductions(self, members: Floats) -> Floats:
        """Return 1 - variance in a group / variance of all, of shape (groups, parameters).

        Args:
            members: Array of shape (groups, N) of ones for members.

        0 stands where a group has fewer than two known values.
        """
        whole = self._variances(np.ones((1, members.shape[1])))
        whole = np.where(whole > 0, whole, np.nan)
        found: Floats = np.nan_to_num(1.0 - self._variances(members) / whole, nan=0.0)
        return found

    def _variances(self, members: Floats) -> Floats:
        """Return sample variances, or 1 - length of the mean direction for angles; NaN for fewer than two values."""
        sizes, first, second = members @ self.known, members @ self.first, members @ self.second
        several = np.where(sizes > 1, sizes, np.nan)
        plain = (second - first**2 / several) / (several - 1)
        circular = 1.0 - np.hypot(first, second) / several
        found: Floats = np.maximum(np.where(self.is_angle, circular, plain), 0.0)
        return found


def _table(labels: Labels, columns: Mapping[str, npt.ArrayLike], angles: Collection[str]) -> list[_Column]:
    """Return the parameters that are not the same for all images."""
    found = []
    for name, given in columns.items():
        values = np.asarray(given, np.float64)
        if values.shape != labels.shape:
            raise UsageError(
                f"The parameter {name!r} has shape {values.shape}; expected one number per image, {labels.shape}."
            )
        known = values[np.isfinite(values)]
        column = _Column(name, np.where(np.isfinite(values), values, np.nan), name in angles)
        if len(known) > 1 and any(score.any() for score in column.scores()):
            found.append(column)
    return found


def _members(labels: Labels) -> Floats:
    """Return an array of shape (clusters, N) of ones for members."""
    members: Floats = (labels == np.arange(int(labels.max(initial=-1)) + 1)[:, None]).astype(np.float64)
    return members


def _orders(members: Floats, seed: int) -> Iterator[npt.NDArray[np.intp]]:
    random = np.random.default_rng(seed)
    for _ in range(PERMUTATIONS if members.size <= MANY else FEWER_PERMUTATIONS):
        yield random.permutation(members.shape[1])


def _differences(members: Floats, scores: Floats, starts: npt.NDArray[np.intp]) -> Floats:
    """Return, for every cluster and parameter, the squared standardised sums of its scores, added up.

    Args:
        members: Array of shape (clusters, N) of ones for members.
        scores: Array of shape (N, scores), those of one parameter after the other.
        starts: The first score of every parameter.
    """
    count, sizes = len(scores), members.sum(axis=1)
    expected = np.sqrt(np.maximum(sizes * (count - sizes) / count, 1e-12))
    squared = (members @ scores / expected[:, None]) ** 2
    summed: Floats = np.add.reduceat(squared, starts, axis=1)
    return summed


def _p_values(observed: Floats, random: Iterable[Floats]) -> Floats:
    """Return the share of random groups that reach what was observed, which counts as one of them."""
    reached, rounds = np.ones(observed.shape), 1
    for one in random:
        reached += one >= observed - 1e-9 * np.abs(observed)
        rounds += 1
    return reached / rounds


def _adjusted(p_values: Floats) -> Floats:
    adjusted: Floats = false_discovery_control(p_values.ravel()).reshape(p_values.shape)
    return adjusted


def _superiority(ours: Floats, theirs: Floats) -> float:
    """Return Vargha and Delaney's A12: P(ours > theirs) + P(ours = theirs) / 2."""
    ranks = rankdata(np.concatenate([ours, theirs]))[: len(ours)]
    return float((ranks.mean() - (len(ours) + 1) / 2) / len(theirs))
