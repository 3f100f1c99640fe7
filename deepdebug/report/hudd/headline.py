"""What sets a cluster apart, in words."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from deepdebug.report.hudd.mistakes import is_telling, mistake_phrase
from deepdebug.report.hudd.words import percent, span
from deepdebug.report.wording import number, one_line

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis, Effect, Group, Quantiles

RATE = 0.05  # q-value up to which an effect counts
MOST = 3  # effects that are put in words
LARGE, MEDIUM, SMALL = 0.71, 0.64, 0.56  # superiority, as named by Vargha and Delaney (2000)
NARROW = 0.5  # share of the other failures out of the members' range from which that range is worth telling
TURN = 360.0


@dataclass(frozen=True, slots=True)
class Headline:
    """A cluster in words.

    Args:
        text: What sets it apart most.
        more: What else does, the strongest first.
    """

    text: str
    more: tuple[str, ...]


def headline(group: Group, analysis: Analysis) -> Headline:
    """Return a cluster in words: from its parameters, else from the classes, else from the loss.

    Args:
        group: The cluster.
        analysis: What it is one of.
    """
    found = sorted(significant_effects(group), key=strength, reverse=True)
    told = [effect_phrase(one) for one in found[:1]]
    told += [effect_phrase(one) for one in found[1:MOST] if strength(one) >= 2 * MEDIUM - 1]
    if group.pairs and (not told or is_telling(group, analysis)):
        told.append(mistake_phrase(group, analysis))
    if not told:
        told.append(_loss_phrase(group, analysis))
    return Headline(told[0], tuple(told[1:]))


def significant_effects(group: Group) -> tuple[Effect, ...]:
    """Return the effects that are not likely by chance, in the order of the record."""
    return tuple(one for one in group.effects if one.q_value <= RATE)


def strength(effect: Effect) -> float:
    """Say how far members and other failures are apart in a parameter, from 0 to 1, so that effects can be ranked.

    That is how one-sided comparisons are, or the share of the other failures that lies out of the members' range, as
    far as three quantiles tell, where that is more and at least half. Variance reduction would not do: where nearly all
    failures have one value, a cluster in which really all have it has a reduction of 1.
    """
    if effect.superiority is None:
        return max(effect.reduction, 0.0)
    one_sided = abs(2 * effect.superiority - 1)
    if effect.shares is not None:
        return abs(effect.shares[0] - effect.shares[1])
    low, _, high = effect.inside
    beyond = 0.0 if low == high else 1 - _share_within(effect.outside, low, high)
    return max(one_sided, beyond) if beyond >= NARROW else one_sided


def effect_phrase(effect: Effect) -> str:
    r"""Say how members differ from other failures in a parameter.

    >>> from deepdebug.hudd.analysis import Effect
    >>> one = Effect("light", 0.03, 0.85, 0.001, 0.01, (0.2, 0.27, 0.34), (0.25, 0.8, 1.1))
    >>> effect_phrase(one).replace("\N{NO-BREAK SPACE}", " ")
    'light lower than in other failures (97 % of comparisons): 0.2 to 0.34 against 0.25 to 1.1'
    """
    name, share = one_line(effect.name), effect.superiority
    ours, theirs = _ranges(effect)
    against = f"{ours} against {theirs}"
    if effect.shares is not None:
        return _of_two(effect)
    if share is None:
        return f"{name} mostly {ours} degrees; in other failures {_other_angles(effect)}"
    if effect.inside[0] == effect.inside[2]:
        return f"{name} is {ours} in nearly all members; in other failures {number(effect.outside[1])} ({theirs})"
    word, side = ("higher", share) if share >= 0.5 else ("lower", 1 - share)
    if side >= LARGE:
        said = "all other failures" if side == 1 else f"other failures ({percent(side)} of comparisons)"
        return f"{name} {word} than in {said}: {against}"
    if strength(effect) >= NARROW:
        return f"{name} in a narrow range: {against}"
    if side >= MEDIUM:
        return f"{name} mostly {word} than in other failures ({percent(side)} of comparisons): {against}"
    if side >= SMALL:
        return f"{name} slightly {word} than in other failures ({percent(side)} of comparisons): {against}"
    return f"{name} varies {'more' if effect.reduction < 0 else 'less'} than in other failures: {against}"


def _of_two(effect: Effect) -> str:
    """Say how frequent a value is among members and other failures, for a parameter that has two.

    >>> from deepdebug.hudd.analysis import Effect
    >>> one = Effect("camera=left", 0.7, 0.8, 0.001, 0.01, (0, 1, 1), (0, 0, 1), (0.93, 0.55))
    >>> _of_two(one).replace("\N{NO-BREAK SPACE}", " ")
    'camera is left: 93 % of members, 55 % of other failures'
    """
    ours, theirs = effect.shares or (0.0, 0.0)
    name, _, word = one_line(effect.name).partition("=")
    if word:
        said = f"{name} is {word}" if ours >= theirs else f"{name} is not {word}"
    else:
        ends = {*effect.inside, *effect.outside}
        said = f"{name} is {number(max(ends) if ours >= theirs else min(ends))}"
    shares = (ours, theirs) if ours >= theirs else (1 - ours, 1 - theirs)
    return f"{said}: {percent(shares[0])} of members, {percent(shares[1])} of other failures"


def _loss_phrase(group: Group, analysis: Analysis) -> str:
    members = set(group.members)
    inside = median(analysis.losses[one] for one in members)
    others = [loss for position, loss in enumerate(analysis.losses) if position not in members]
    against = f" against {number(median(others))} in other failures" if others else ""
    start = "No parameter tells it apart" if group.effects else "No parameters are known"
    return f"{start}; median loss {number(inside)}{against}"


def _ranges(effect: Effect) -> tuple[str, str]:
    is_angle = effect.superiority is None
    return (
        span(effect.inside[0], effect.inside[2], is_angle),
        span(effect.outside[0], effect.outside[2], is_angle),
    )


def _other_angles(effect: Effect) -> str:
    """Write the angles of the other failures; an arc of more than half a turn is hard to read from its ends."""
    low, _, high = effect.outside
    arc = (high - low) % TURN
    return f"spread over {arc:.0f} degrees" if arc > TURN / 2 else f"{_ranges(effect)[1]} degrees"


def _share_within(quantiles: Quantiles, low: float, high: float) -> float:
    """Return about which share of some values lies in a range."""
    margin = 1e-9 * max(abs(low), abs(high), 1e-300)
    below, up_to = np.interp((low - margin, high + margin), quantiles, (0.05, 0.5, 0.95), left=0.0, right=1.0)
    return float(up_to - below)
