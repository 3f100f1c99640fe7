"""The list of detectors: found by looking into this folder and at the entry points of other packages."""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol, cast

from deepdebug.errors import NotJudged, UsageError
from deepdebug.observation import Run
from deepdebug.records import Finding, Skipped

ENTRY_POINT_GROUP = "deepdebug.detectors"
logger = logging.getLogger("deepdebug")


class Detector(Protocol):
    """What a detector is: a frozen dataclass with three class variables, thresholds as fields, and `detect`.

    `detect` is called at every check with the run so far. It yields the findings that hold now, and raises `NotJudged`
    when it lacks the data to say anything.
    """

    code: ClassVar[str]
    symptom: ClassVar[str]
    abbreviation: ClassVar[str]

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield the findings that hold at the newest observation of `run`."""
        ...


Rule = type[Detector]
Arrange = Callable[[Run, Sequence[Finding]], Sequence[Finding]]


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Return every detector class, ours and those of installed packages, ordered by code.

    Raises:
        UsageError: When two detectors of ours share a code.
    """
    rules = [*_own_rules(), *_plugin_rules()]
    by_code: dict[str, Rule] = {}
    for rule in rules:
        if by_code.setdefault(rule.code, rule) is not rule:
            raise UsageError(
                f"Two detectors share the code '{rule.code}': {by_code[rule.code].__qualname__} and "
                f"{rule.__qualname__}. Give the newer one an unused code."
            )
    return tuple(by_code[code] for code in sorted(by_code))


def _own_rules() -> Iterator[Rule]:
    package = importlib.import_module("deepdebug.detectors")
    for module_info in pkgutil.iter_modules(package.__path__, "deepdebug.detectors."):
        module = importlib.import_module(module_info.name)
        for _, candidate in inspect.getmembers(module, inspect.isclass):
            is_rule = candidate.__module__ == module.__name__ and isinstance(getattr(candidate, "code", None), str)
            if is_rule:
                yield cast("Rule", candidate)


def _plugin_rules() -> Iterator[Rule]:
    taken = {rule.code for rule in _own_rules()}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        try:
            rule = _checked(entry.load())
        except Exception:  # somebody else's package must not keep ours from working
            logger.warning("the detector '%s' of another package cannot be used", entry.value, exc_info=True)
            continue
        if rule.code in taken:
            logger.warning("the detector '%s' is left out: its code %s is taken", entry.value, rule.code)
            continue
        taken.add(rule.code)
        yield rule


def _checked(candidate: Any) -> Rule:
    """Return a detector of another package.

    Raises:
        TypeError: When it is none.
    """
    names = ("code", "symptom", "abbreviation")
    if not inspect.isclass(candidate) or not all(isinstance(getattr(candidate, name, None), str) for name in names):
        raise TypeError(f"expected a class with {', '.join(names)} as strings, got {candidate!r}")
    if not callable(getattr(candidate, "detect", None)):
        raise TypeError(f"{candidate!r} has no method `detect`")
    candidate()  # every field needs a default
    return cast("Rule", candidate)


def find_rule(name: str) -> Rule:
    """Return the detector with this code, symptom name or (where only one has it) abbreviation.

    Raises:
        UsageError: When there is none.
    """
    matches = select_rules(select=(name,))
    return matches[0]


def select_rules(select: Sequence[str] | None = None, ignore: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Return the detectors named by `select` (default: all) and not by `ignore`.

    Args:
        select: Codes ("DD101"), prefixes of codes ("DD1"), symptom names ("dead-units") or abbreviations ("DNS").
            Defaults to `None`: every detector.
        ignore: The same, to leave out. Defaults to `()`.

    Raises:
        UsageError: When a name fits no detector.
    """
    rules = all_rules()
    chosen = rules if select is None else _matching(rules, select, "select")
    left_out = _matching(rules, ignore, "ignore")
    return tuple(rule for rule in chosen if rule not in left_out)


def _matching(rules: tuple[Rule, ...], names: Iterable[str], argument: str) -> tuple[Rule, ...]:
    if isinstance(names, str):
        names = (names,)
    matched: list[Rule] = []
    for name in names:
        hits = [rule for rule in rules if _answers_to(rule, name)]
        if not hits:
            families = ", ".join(sorted({rule.code[:3] for rule in rules}))
            raise UsageError(
                f"`{argument}` got {name!r}, which names no detector. Expected a code such as 'DD101', the start of "
                f"one (families: {families}), a symptom such as 'dead-units' or an abbreviation such as 'DNS'. Run "
                "`deepdebug explain --all` for the list."
            )
        matched.extend(hits)
    return tuple(rule for rule in rules if rule in matched)


def _answers_to(rule: Rule, name: str) -> bool:
    upper = name.upper()
    is_prefix = upper.startswith("DD") and rule.code.startswith(upper)
    return is_prefix or name.lower() == rule.symptom or upper == rule.abbreviation.upper()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the detectors say about a run at one moment.

    Args:
        findings: The findings that hold now.
        judged: Codes of the detectors that could judge.
        skipped: The detectors that could not, or that failed, with the reason.
    """

    findings: tuple[Finding, ...]
    judged: frozenset[str]
    skipped: tuple[Skipped, ...]


def judge(run: Run, detectors: Iterable[Detector], arrange: Arrange | None = None) -> Verdict:
    """Ask every detector about `run`; one that fails is skipped with its reason and never stops the others.

    Args:
        run: The run so far.
        detectors: Whom to ask, in this order.
        arrange: Orders the findings of one moment. Defaults to `None`: in the order of the detectors.

    Returns:
        What they say.
    """
    findings: list[Finding] = []
    judged: set[str] = set()
    skipped: list[Skipped] = []
    for detector in detectors:
        try:
            found = list(detector.detect(run))
        except NotJudged as reason:
            skipped.append(Skipped(detector.code, str(reason)))
        except Exception as error:  # a faulty detector must not stop someone's training
            logger.debug("detector %s failed", detector.code, exc_info=True)
            skipped.append(Skipped(detector.code, f"the detector failed: {type(error).__name__}: {error}"))
        else:
            findings.extend(found)
            judged.add(detector.code)
    ordered = findings if arrange is None else arrange(run, findings)
    return Verdict(tuple(ordered), frozenset(judged), tuple(skipped))
