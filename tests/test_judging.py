from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.registry import Verdict, judge
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts
from deepdebug.judging import CONFIDENCES, FindingLog, conclude, replay
from deepdebug.observation import EpochEnd, Run
from deepdebug.records import SEVERITIES, Diagnosis, Finding, Fix, Skipped
from tests.factory import classifier_facts, healthy_run

DATA = DataFacts(rows=10, complete=True)


def finding(**changes: object) -> Finding:
    base = Finding(
        "DD101", "dead-units", "DNS", "warn", "weak", "hidden", "FW", epoch=2, step=300, value=0.5, threshold=0.4,
        message="half of the units",
    )  # fmt: skip
    return replace(base, **changes)


def verdict(*findings: Finding, judged: Sequence[str] = (), skipped: Sequence[Skipped] = ()) -> Verdict:
    return Verdict(findings, frozenset(judged), tuple(skipped))


@dataclass(frozen=True)
class RisingLoss:
    """Finds every observation whose loss is above 1, and the end of the run; needs three observations."""

    code: ClassVar[str] = "DD901"
    symptom: ClassVar[str] = "rising"
    abbreviation: ClassVar[str] = "RIS"

    def detect(self, run: Run) -> Iterator[Finding]:
        if len(run.observations) < 3:
            raise NotJudged(f"needs three observations, got {len(run.observations)}")
        loss = run.latest.metrics["loss"]
        if loss > 1 or run.finished:
            severity = "error" if loss > 2 else "warn"
            yield finding(
                code=self.code, layer=None, severity=severity, epoch=run.latest.epoch, step=run.latest.step, value=loss
            )
        if run.finished:
            yield finding(code=self.code, layer="end", epoch=run.latest.epoch)


@dataclass(frozen=True)
class NeedsData:
    """Says how many observations there were when the data were known for the first time."""

    code: ClassVar[str] = "DD902"
    symptom: ClassVar[str] = "data"
    abbreviation: ClassVar[str] = "DAT"

    def detect(self, run: Run) -> Iterator[Finding]:
        if run.facts.data is None:
            raise NotJudged("needs data")
        yield finding(code=self.code, layer=None, value=float(len(run.observations)))


DETECTORS = (RisingLoss(), NeedsData())


def test_later_and_more_severe_sighting_replaces_all_but_the_time():
    log = FindingLog()
    log.add(verdict(finding()))
    log.add(verdict(finding(severity="error", confidence="strong", epoch=5, step=600, value=0.9, message="most")))
    (merged,) = log.findings
    assert (merged.severity, merged.confidence, merged.value, merged.message) == ("error", "strong", 0.9, "most")
    assert (merged.epoch, merged.step) == (2, 300)


def test_equally_severe_sighting_changes_nothing():
    log = FindingLog()
    log.add(verdict(finding()))
    log.add(verdict(finding(value=0.9, epoch=5)))
    assert log.findings == (finding(),)


def test_equally_severe_but_surer_sighting_is_taken():
    log = FindingLog()
    log.add(verdict(finding()))
    log.add(verdict(finding(confidence="strong", value=0.6)))
    assert (log.findings[0].confidence, log.findings[0].value) == ("strong", 0.6)


def test_milder_sighting_changes_nothing_even_when_surer():
    log = FindingLog()
    log.add(verdict(finding(severity="error")))
    log.add(verdict(finding(severity="warn", confidence="certain")))
    assert log.findings == (finding(severity="error"),)


def test_other_layer_is_another_finding():
    log = FindingLog()
    log.add(verdict(finding(), finding(layer="head")))
    assert [one.layer for one in log.findings] == ["hidden", "head"]


def test_other_subject_is_another_finding():
    log = FindingLog()
    log.add(verdict(finding(layer=None, subject="left"), finding(layer=None, subject="right")))
    assert [one.subject for one in log.findings] == ["left", "right"]


def test_only_new_and_worse_findings_are_returned():
    log = FindingLog()
    assert log.add(verdict(finding())) == (finding(),)
    assert log.add(verdict(finding(), finding(layer="head"))) == (finding(layer="head"),)
    assert log.add(verdict(finding(severity="fatal", epoch=9))) == (finding(severity="fatal"),)


def test_two_findings_of_one_place_in_one_check_are_returned_once():
    log = FindingLog()
    worse = finding(severity="error")
    assert log.add(verdict(finding(), worse)) == (worse,)


def test_news_are_told_without_adding():
    log = FindingLog()
    assert log.has_news(verdict(finding()))
    assert log.findings == ()
    log.add(verdict(finding()))
    assert not log.has_news(verdict(finding(epoch=7)))
    assert log.has_news(verdict(finding(severity="error")))


def test_most_severe_finding_comes_first_then_the_earlier():
    log = FindingLog()
    log.add(verdict(finding(code="DD301"), finding(code="DD102", severity="info")))
    log.add(verdict(finding(code="DD103"), finding(code="DD202", severity="fatal")))
    assert [one.code for one in log.findings] == ["DD202", "DD301", "DD103", "DD102"]


def test_code_judged_once_is_judged():
    log = FindingLog()
    log.add(verdict(judged=["DD101"]))
    log.add(verdict(skipped=[Skipped("DD101", "no gradient")]))
    assert (log.judged, log.skipped) == (("DD101",), ())


def test_last_reason_of_a_code_never_judged_is_kept():
    log = FindingLog()
    log.add(verdict(skipped=[Skipped("DD204", "first reason"), Skipped("DD101", "too early")]))
    log.add(verdict(skipped=[Skipped("DD204", "last reason"), Skipped("DD101", "too early")]))
    assert log.skipped == (Skipped("DD101", "too early"), Skipped("DD204", "last reason"))


def test_first_hit_ends_the_judging_where_it_wins():
    log = FindingLog(first_hit_wins=True)
    log.add(verdict(judged=["DD101"]))
    log.add(verdict(finding(), finding(layer="head"), judged=["DD102"]))
    assert not log.has_news(verdict(finding(code="DD301", severity="fatal")))
    assert log.add(verdict(finding(code="DD301", severity="fatal"), judged=["DD103"])) == ()
    assert (log.findings, log.judged) == ((finding(),), ("DD101", "DD102"))


FINDINGS = st.builds(
    finding,
    code=st.sampled_from(["DD101", "DD102"]),
    layer=st.sampled_from([None, "a"]),
    severity=st.sampled_from(SEVERITIES),
    confidence=st.sampled_from(CONFIDENCES),
    epoch=st.integers(0, 9),
)
VERDICTS = st.lists(st.builds(lambda found: verdict(*found), st.lists(FINDINGS, max_size=4)), max_size=6)


@given(VERDICTS)
def test_merged_finding_has_the_first_time_and_the_worst_severity(verdicts):
    log = FindingLog()
    for one in verdicts:
        log.add(one)
    seen = [one for each in verdicts for one in each.findings]
    for merged in log.findings:
        same = [one for one in seen if (one.code, one.layer) == (merged.code, merged.layer)]
        assert merged.epoch == same[0].epoch
        assert SEVERITIES.index(merged.severity) == max(SEVERITIES.index(one.severity) for one in same)
    assert len(log.findings) == len({(one.code, one.layer) for one in seen})


@given(VERDICTS)
def test_news_are_announced_exactly_when_adding_returns_something(verdicts):
    log = FindingLog()
    for one in verdicts:
        announced = log.has_news(one)
        assert bool(log.add(one)) == announced


def judged_live(run: Run, arrival: int) -> FindingLog:
    """Judge as the callback does: one growing list of observations, the data coming after `arrival` of them."""
    log = FindingLog()
    facts = run.facts
    for number in range(len(run.observations)):
        if number == arrival:
            facts = replace(facts, data=DATA)
        log.add(judge(Run(facts, run.observations[: number + 1]), DETECTORS))
    log.add(judge(Run(facts, run.observations, finished=True), DETECTORS), again=True)
    log.settle()
    return log


@given(st.lists(st.sampled_from([0.5, 1.5, 2.5]), min_size=1, max_size=6), st.integers(0, 5))
def test_replay_finds_exactly_what_was_found_live(losses, arrival):
    run = healthy_run(len(losses))
    observations = [
        run.observations[0],
        *(replace(seen, metrics={"loss": loss}) for seen, loss in zip(run.epochs, losses, strict=True)),
    ]
    run = replace(run, observations=observations)
    live = judged_live(run, arrival)
    later = [(arrival, DATA)] if arrival < len(observations) else []
    again = replay(replace(run, finished=True), DETECTORS, later_data=later)
    assert (again.findings, again.judged, again.skipped) == (live.findings, live.judged, live.skipped)


def test_replay_of_an_interrupted_run_gives_no_verdict_about_its_end():
    run = healthy_run(4)
    assert replay(replace(run, finished=False), DETECTORS).findings == ()
    assert [one.layer for one in replay(replace(run, finished=True), DETECTORS).findings] == [None, "end"]


def test_replay_tells_after_every_check_what_was_known_by_then():
    run, told = healthy_run(4), []
    log = replay(
        replace(run, finished=True),
        DETECTORS,
        after=lambda seen, log: told.append((len(seen.observations), seen.finished, len(log.findings))),
    )
    count = len(run.observations)
    assert [(seen, finished) for seen, finished, _ in told] == [
        *((end, False) for end in range(1, count + 1)),
        (count, True),
    ]
    assert [found for _, _, found in told][-2:] == [0, len(log.findings)]


def test_replay_shows_the_data_only_after_they_came():
    run = healthy_run(4)
    log = replay(replace(run, finished=True), DETECTORS[1:], later_data=[(2, DATA)])
    assert log.findings[0].value == 3.0


def test_data_that_came_after_the_last_check_are_judged_at_the_end():
    run = healthy_run(4)
    late = [(len(run.observations), DATA)]
    assert replay(replace(run, finished=False), DETECTORS[1:], later_data=late).findings == ()
    assert replay(replace(run, finished=True), DETECTORS[1:], later_data=late).judged == ("DD902",)


def test_replay_without_observations_judges_nothing():
    log = replay(Run(classifier_facts(data=DATA), (), finished=True), DETECTORS)
    assert (log.findings, log.judged, log.skipped) == ((), (), ())


def test_replay_stops_at_the_first_finding_where_it_wins():
    run = healthy_run(4)
    log = replay(replace(run, finished=True), DETECTORS, later_data=[(1, DATA)], first_hit_wins=True)
    assert [(one.code, one.value) for one in log.findings] == [("DD902", 2.0)]
    assert log.judged == ("DD902",)


def cause(run: Run, findings: tuple[Finding, ...]) -> tuple[Diagnosis, ...]:
    return (Diagnosis("a cause", "MSG3", "weak", findings, Fix("do this", "code")),)


def broken(run: Run, findings: tuple[Finding, ...]) -> tuple[Diagnosis, ...]:
    raise ZeroDivisionError("by accident")


def test_conclusion_holds_causes_coverage_and_names():
    log = FindingLog()
    log.add(verdict(finding(), judged=["DD101"], skipped=[Skipped("DD204", "no gradient")]))
    run = healthy_run()
    report = conclude(run, log, DETECTORS, cause, preset="other", skipped=[Skipped("probe", "off")], seconds=1.5)
    assert report.diagnoses == cause(run, log.findings)
    assert (report.judged, report.preset, report.seconds) == (("DD101",), "other", 1.5)
    assert [one.check for one in report.skipped] == ["DD204", "probe"]
    assert report.symptoms == {"DD901": "rising", "DD902": "data"}


def test_failing_diagnosis_leaves_the_findings():
    log = FindingLog()
    log.add(verdict(finding(), judged=["DD101"]))
    report = conclude(healthy_run(), log, DETECTORS, broken)
    assert (report.findings, report.diagnoses) == ((finding(),), ())
    assert report.skipped == (Skipped("diagnosis", "grouping by cause failed: ZeroDivisionError: by accident"),)


def test_conclusion_does_not_change_when_training_goes_on():
    run = healthy_run(3)
    observations = list(run.observations)
    report = conclude(replace(run, observations=observations), FindingLog(), DETECTORS, cause)
    observations.append(observations[-1])
    assert len(report.run.observations) == 4


def recheck(log: FindingLog, *severities: str | None) -> None:
    for epoch, severity in enumerate(severities, start=3):
        seen = [] if severity is None else [finding(severity=severity, epoch=epoch)]
        log.add(verdict(*seen, judged=["DD101"]))


def test_finding_that_has_passed_ends_as_info_and_says_since_when():
    log = FindingLog()
    recheck(log, "warn", "warn", None, None, None)
    log.settle()
    (settled,) = log.findings
    assert settled.severity == "info"
    assert "last seen at epoch 4" in settled.message


def test_finding_that_was_seen_in_the_newest_checks_stays():
    log = FindingLog()
    recheck(log, "warn", None, None, "warn")
    log.settle()
    assert log.findings[0].severity == "warn"


def test_finding_that_weakens_ends_at_its_recent_severity():
    log = FindingLog()
    recheck(log, "error", "warn", "warn", "warn")
    log.settle()
    assert log.findings[0].severity == "warn"


def test_fatal_finding_stays():
    log = FindingLog()
    recheck(log, "fatal", None, None, None)
    log.settle()
    assert log.findings[0].severity == "fatal"


def test_finding_from_before_the_training_passes_where_its_detector_finds_it_no_more():
    log = FindingLog()
    log.add(verdict(finding(epoch=-1, severity="error"), judged=["DD101"]))
    recheck(log, None, None, None)
    log.settle()
    assert log.findings[0].severity == "info"


def test_finding_from_before_the_training_that_nobody_looks_at_again_stays():
    log = FindingLog()
    log.add(verdict(finding(epoch=-1, severity="error")))
    log.settle()
    assert log.findings[0].severity == "error"


def test_last_moment_counts_once_when_it_is_judged_again():
    log = FindingLog()
    recheck(log, "warn", None, None)
    log.add(verdict(judged=["DD101"]), again=True)
    log.settle()
    assert log.findings[0].severity == "warn"


def test_checks_that_could_not_judge_do_not_let_a_finding_pass():
    log = FindingLog()
    recheck(log, "warn")
    for _ in range(5):
        log.add(verdict(skipped=[Skipped("DD101", "no data")]))
    log.settle()
    assert log.findings[0].severity == "warn"


def test_at_every_observation_only_earlier_ends_of_epochs_are_known():
    run = healthy_run(4, finished=True)
    thinned = [one for one in run.observations if one.epoch not in (0, 2)]
    ends = [EpochEnd(epoch, 10 * (epoch + 1), {"loss": 1.0}, 0.5 + epoch) for epoch in (0, 2, 3)]  # 3 was observed too
    run, told = replace(run, observations=thinned, passed=ends), []
    replay(run, DETECTORS, after=lambda seen, _: told.append([one.epoch for one in seen.epochs]))
    assert told == [[], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3]]
    assert (0, 0.5) in run.learning_rates
    assert (2, 2.5) in run.learning_rates
