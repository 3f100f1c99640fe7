"""The runs behind the golden files: one with findings and hostile names, one clean, one that could not be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from deepdebug.facts import DataFacts, Facts, InputFacts, LabelFacts
from deepdebug.observation import Run
from deepdebug.records import Diagnosis, Finding, Fix, Skipped
from deepdebug.report import Report
from tests.factory import STEPS_PER_EPOCH, classifier_facts, dense, kernel, observation

HOSTILE = "<script>alert('1')</script> & [bold]%0A\n::error::\x1b[31m $x_1$"


def hostile_facts() -> Facts:
    data = DataFacts(
        rows=3200,
        complete=True,
        inputs=(InputFacts("pixels", (4,), "uint8", integer=True, minimum=0.0, maximum=255.0, median_absolute=127.0),),
        labels=(LabelFacts("output", (3,), "float32", 3200, True, 0.0, 1.0, class_counts=(1200, 1100, 900)),),
    )
    return classifier_facts(
        model="golden",
        layers=(dense(HOSTILE, inputs=("input",)), dense("head", 3, "softmax", inputs=(HOSTILE,))),
        variables=(kernel(HOSTILE), kernel("head", (8, 3))),
        data=data,
        versions={"deepdebug": "0.0.0", "keras": "3.15.1", "tensorflow": "2.21.0"},
    )


def run(facts: Facts, epochs: int = 4) -> Run:
    return Run(facts, [observation(facts, epoch) for epoch in range(-1, epochs)], finished=True)


def dead_units() -> Finding:
    return Finding(
        code="DD101", symptom="dead-units", abbreviation="DNS", severity="error", confidence="strong", layer=HOSTILE,
        location="FW", epoch=1, step=2 * STEPS_PER_EPOCH, value=0.9375, threshold=0.4,
        message="93.8 % of the units output zero for all 512 probe rows",
        healthy="below 10 %", evidence={"dead_at_start": 0.02, "upper_bound_on_firing": 0.00586},
    )  # fmt: skip


def invalid_loss() -> Finding:
    return Finding(
        code="DD301", symptom="invalid-loss", abbreviation="ILS", severity="fatal", confidence="certain", layer=None,
        location="M", epoch=3, step=4 * STEPS_PER_EPOCH, value=float("nan"), threshold=None,
        message="the loss is NaN", evidence={"largest_gradient": float("inf")},
    )  # fmt: skip


def data_scale() -> Finding:
    return Finding(
        code="DD411", symptom="data-scale", abbreviation="SCL", severity="info", confidence="strong", layer=None,
        location="DATA", epoch=-1, step=0, value=127.0, threshold=10.0,
        message="the median absolute value of input 'pixels' is 127", healthy="about 1",
    )  # fmt: skip


def learning_rate() -> Diagnosis:
    return Diagnosis(
        fault="learning rate too high",
        action="MSG3",
        confidence="strong",
        findings=(invalid_loss(), dead_units()),
        fix=Fix(
            "Lower the learning rate from 0.1 to about 0.001.",
            "model.compile(\n    optimizer=keras.optimizers.Adam(0.001),\n    loss='categorical_crossentropy',\n)",
        ),
        score=3.5,
        supporting=("one update changes the weights by 12 % of their size", f"layer '{HOSTILE}' died in epoch 1"),
        contradicting=("the gradient norm before the first update is 0.5",),
        path=("non-finite weights? yes", "finite input? yes", "update ratio above 0.1? yes: learning rate"),
        silence='Diagnose(ignore=["DD101", "DD301"])',
    )


def with_findings() -> Report:
    return Report(
        run=run(hostile_facts()),
        findings=(invalid_loss(), dead_units(), data_scale()),
        diagnoses=(learning_rate(),),
        skipped=(
            Skipped("DD204", "needs the gradient, which was switched off"),
            Skipped("DD415", "needs validation data: pass `validation_data` to `fit`"),
            Skipped("probe", f"failed on layer '{HOSTILE}'"),
        ),
        judged=("DD101", "DD301", "DD302", "DD411"),
        symptoms={
            "DD101": "dead-units", "DD204": "zero-gradient", "DD301": "invalid-loss", "DD302": "invalid-accuracy",
            "DD411": "data-scale", "DD415": "train-validation-overlap",
        },
        seconds=0.25,
        version="0.0.0",
    )  # fmt: skip


def clean() -> Report:
    return replace(with_findings(), run=run(classifier_facts()), findings=(), diagnoses=())


def not_judged() -> Report:
    reason = Skipped("DD101", "needs two checks after the warm-up")
    begun = Run(classifier_facts(), (), finished=False)
    return replace(clean(), run=begun, skipped=(reason,), judged=(), seconds=None)


CASES: Mapping[str, Callable[[], Report]] = {
    "with_findings": with_findings,
    "clean": clean,
    "not_judged": not_judged,
}
