"""The score as tables, for a terminal or in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from benchmarks.models444.manifest import TOOLS, programs
from benchmarks.models444.measures import MEASURES
from benchmarks.models444.scoring.ablation import PUBLISHED as PUBLISHED_SYMPTOMS
from benchmarks.models444.scoring.ablation import Part
from benchmarks.models444.scoring.agreements import EVERY, OUTCOME, PARTS, PUBLISHED, Errors
from benchmarks.models444.scoring.programs import NOTHING, VERDICTS
from benchmarks.models444.scoring.score import Programs, Score
from benchmarks.models444.scoring.targets import NO_ROW, estimate
from benchmarks.models444.scoring.times import PUBLISHED as PUBLISHED_SECONDS
from benchmarks.models444.scoring.tools import OURS
from benchmarks.sheets import Sheet

NAMES = {
    "deepdiagnosis": "DeepDiagnosis",
    "deeplocalize": "DeepLocalize",
    "umlaut": "UMLAUT",
    "autotrainer": "AUTOTRAINER",
}


def sheets(score: Score) -> Iterator[Sheet]:
    """Yield all tables.

    Args:
        score: The score.
    """
    yield _targets(score)
    yield from (_tools(score, label) for label in (PUBLISHED, OUTCOME))
    yield _parts(score)
    if score.programs.judged:
        yield from (_programs(score.programs), _each_program(score.programs), _causes(score.programs))
    yield _times(score)
    yield _symptoms(score)
    yield _detectors(score)
    yield from (_errors(label, found) for label, found in score.errors.items())
    yield _disagree(score)
    if score.lost:
        rows = tuple((one.id, str(one.repeat), one.status) for one in score.lost)
        yield Sheet("Models without a verdict", ("model", "repetition", "ended"), rows)
    if score.failed:
        failed = tuple((name, " ".join(codes)) for name, codes in score.failed.items())
        yield Sheet("Detectors that failed", ("model", "detectors"), failed)


def _targets(score: Score) -> Sheet:
    rows = tuple(
        (one.name, one.reached, one.target, one.published, "yes" if one.is_met else "NO") for one in score.targets
    )
    title = f"Targets; {len(score.models)} of 444 models, size {score.size}, {score.repeats} repetitions"
    if score.steady is not None:
        title += f", {score.steady:.1%} of the models with the same verdict in all of them"
    return Sheet(title, ("measure", "deepdebug", "target", "DeepDiagnosis", "met"), rows)


def _tools(score: Score, label: str) -> Sheet:
    rows = []
    for one in score.compared:
        if (one.label, one.part) == (label, EVERY):
            known = one.agreement
            counts = (str(count) for count in (known.models, known.hits, known.alarms))
            rows.append((_tool(one.tool), *counts, *(estimate(known.measures[name]) for name in MEASURES)))
    title = f"Models of AUTOTRAINER against the {label} label, with 95 % intervals"
    return Sheet(title, ("tool", "models", "faulty flagged", "normal flagged", *MEASURES), tuple(rows))


def _parts(score: Score) -> Sheet:
    tools = list(dict.fromkeys(one.tool for one in score.compared))
    rows = []
    for label in (PUBLISHED, OUTCOME):
        for part in PARTS:
            known = {one.tool: one.agreement for one in score.compared if (one.label, one.part) == (label, part)}
            cells = (f"{known[tool].measures['balanced accuracy'].value:.2f}" for tool in tools)
            rows.append((part, label, str(known[OURS].models), *cells))
    return Sheet("Balanced accuracy by part", ("part", "label", "models", *map(_tool, tools)), tuple(rows))


def _programs(found: Programs) -> Sheet:
    def row(name: str, known: Iterable[tuple[str, ...] | None]) -> tuple[str, ...]:
        answered = [yes for yes in known if yes is not None]
        return (name, str(len(answered)), *(str(sum(one in yes for yes in answered)) for one in VERDICTS))

    judged = [one for one in found.judged if one.id != NO_ROW]
    ids = {one.id for one in judged}
    rows = [
        row("deepdebug", (one.yes for one in judged)),
        row("deepdebug, one of three diagnoses", (one.likely for one in judged)),
        row("deepdebug, sound labels", (one.yes for one in judged if not one.is_questionable)),
        row("preset deepdiagnosis", (one.yes for one in found.preset if one.id in ids)),
        row("the same answer to all", (one.yes for one in found.blind if one.id in ids)),
    ]
    for tool in TOOLS:
        published = (programs()[name].published[tool] for name in sorted(ids))
        rows.append(row(f"{NAMES[tool]}, published", published))
    title = (
        "Real-world programs: bug identified, place of the fault, symptom, place of the fix. Of "
        f"{len(found.fixed)} fixed programs {len(found.warned)} got a warning and {len(found.alarmed)} an alarm"
    )
    return Sheet(title, ("tool", "programs", *VERDICTS), tuple(rows))


def _each_program(found: Programs) -> Sheet:
    def told(yes: tuple[str, ...] | None) -> str:
        return "-" if yes is None else " ".join(yes) or "none"

    rows = tuple(
        (one.id, " ".join(one.kinds), one.cause or NOTHING, told(one.yes),
         told(programs()[one.id].published["deepdiagnosis"]))
        for one in found.judged
    )  # fmt: skip
    return Sheet("Each program", ("program", "the fix changes", "first cause", "deepdebug", "DeepDiagnosis"), rows)


def _causes(found: Programs) -> Sheet:
    """Return what the first diagnosis makes of each kind of change; programs with several kinds count in each."""
    pairs = Counter((kind, one.cause or NOTHING) for one in found.judged for kind in one.kinds)
    causes = sorted({cause for _, cause in pairs})
    kinds = sorted({kind for kind, _ in pairs})
    rows = tuple((cause, *(str(pairs[kind, cause] or "") for kind in kinds)) for cause in causes)
    return Sheet("First cause against what the fix changes", ("cause", *kinds), rows)


def _times(score: Score) -> Sheet:
    rows = tuple(
        (one.dataset, str(one.models), f"{one.at_once:.0%}", f"{one.epoch:.0f}", f"{one.share:.1%}",
         f"{one.seconds:.2f}", f"{PUBLISHED_SECONDS.get(one.dataset, float('nan')):g}".replace("nan", "-"))
        for one in score.detections
    )  # fmt: skip
    columns = ("data", "flagged", "before training", "epochs", "of the training", "seconds", "DeepDiagnosis, seconds")
    return Sheet("Until the first alarm, medians (published seconds: another machine, all pictures)", columns, rows)


def _symptoms(score: Score) -> Sheet:
    rows = []
    for name, (_, counts) in PUBLISHED_SYMPTOMS.items():
        parts = (next(one for one in known if one.name == name) for known in score.symptoms.values())
        rows.append((name, f"{counts[0]} / {counts[1]}", *(cell for part in parts for cell in _added(part))))
    columns = ("symptom", "published", "preset: reported", "preset: only by it", "ours: reported", "ours: only by it")
    title = (
        "RQ4: models of AUTOTRAINER / programs (and normal models) with a symptom, and those that nothing else reports"
    )
    return Sheet(title, columns, tuple(rows))


def _detectors(score: Score) -> Sheet:
    rows = tuple((one.name, *_added(one)) for one in score.detectors)
    return Sheet("The same by detector", ("detector", "reported", "only by it"), rows)


def _added(part: Part) -> tuple[str, str]:
    return (
        f"{part.hits[0]} / {part.hits[1]} ({part.alarms})",
        f"{part.only_hits[0]} / {part.only_hits[1]} ({part.only_alarms})",
    )


def _errors(label: str, found: Errors) -> Sheet:
    rows = (*(("missed", one) for one in found.misses), *(("false alarm", one) for one in found.alarms))
    title = f"{len(found.misses)} misses and {len(found.alarms)} false alarms by the {label} label"
    return Sheet(title, ("verdict", "model"), rows)


def _disagree(score: Score) -> Sheet:
    reached = score.outcomes
    rows = tuple(
        (name, "normal" if reached[name].is_faulty else "buggy", f"{reached[name].best:.3f}",
         f"{reached[name].final:.3f}", f"{reached[name].skill:.2f}")
        for name in score.disagree
    )  # fmt: skip
    title = f"{len(rows)} models whose published label and outcome differ"
    return Sheet(title, ("model", "published", "best accuracy", "last accuracy", "skill"), rows)


def _tool(name: str) -> str:
    tool, _, rest = name.partition(",")
    return f"{NAMES[tool]},{rest}" if tool in NAMES else name
