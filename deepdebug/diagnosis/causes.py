"""The root causes, what speaks for each of them and what against.

The weights are our first settings, not yet calibrated: 5 for a contradiction that names its cause, 3 for a finding that
names it, about 1 for a symptom that it commonly brings about. Of two equal causes the earlier one wins; the order of
the dynamic ones is that of DeepDiagnosis (ICSE 2022): data, initialisation, learning rate, then the layers.
"""

from __future__ import annotations

from collections.abc import Mapping

from deepdebug.diagnosis import evidence, evidence_rate
from deepdebug.diagnosis.case import Cause

NUMERIC = {"DD103": 0.5, "DD201": 0.5, "DD202": 0.5, "DD301": 0.5, "DD302": 0.5, "DD206": 0.5, "DD305": 0.5}
FLAT = dict.fromkeys(("DD105", "DD106", "DD303", "DD304", "DD308", "DD310"), 0.5)
STUCK = dict.fromkeys(("DD107", "DD203", "DD204", "DD205", "DD208", "DD302", "DD306", "DD309"), 0.5)
NOT_LEARNING = FLAT | STUCK
DEAD = {"DD101": 0.5, "DD102": 0.5}


def _named(
    name: str, *codes: str, weight: float = 3.0, explains: Mapping[str, float] | None = None, tier: int = 2,
    per_layer: bool = False,
) -> Cause:  # fmt: skip
    """Return a cause that its own findings name, with the symptoms it explains."""
    own = dict.fromkeys(codes, weight)
    return Cause(name, {**(explains or {}), **own}, needs=frozenset(codes), tier=tier, per_layer=per_layer)


STATIC_CAUSES = (
    _named("non_finite_data", "DD401", weight=5, explains=NUMERIC | NOT_LEARNING | DEAD, tier=0),
    _named("embedding_range", "DD426", weight=5, explains=NUMERIC | NOT_LEARNING | DEAD, tier=1),
    _named("constant_softmax", "DD402", weight=5, explains=NOT_LEARNING | {"DD403": 3, "DD104": 3}, tier=1,
           per_layer=True),
    _named("labels", "DD404", weight=5, explains=NUMERIC | NOT_LEARNING | DEAD | {"DD104": 3}, tier=1),
    _named("shape_mismatch", "DD406", weight=5, explains=NOT_LEARNING, tier=1),
    _named("loss_activation", "DD403", weight=5, explains=NUMERIC | NOT_LEARNING | DEAD | {"DD104": 3},
           tier=1, per_layer=True),
    _named("output_range", "DD104", weight=5, explains=NUMERIC | NOT_LEARNING | DEAD, tier=1, per_layer=True),
    _named("missing_nonlinearity", "DD405", weight=5, explains=FLAT, tier=1),
    _named("recurrent", "DD424", weight=5, explains=FLAT | {"DD406": 3}, tier=1),
    _named("batch_norm", "DD423", weight=5, explains=FLAT | STUCK | {"DD211": 2, "DD307": 0.5}, tier=1),
    _named("constant_data", "DD412", weight=5, explains=FLAT, tier=1),
    _named("bottleneck", "DD427", weight=5, explains=FLAT | DEAD | {"DD107": 0.5, "DD205": 0.5}, tier=1),
)  # fmt: skip

DYNAMIC_CAUSES = (
    Cause(
        "data_scale",
        {
            "DD411": 3.0, "DD101": 0.9, "DD102": 1.0, "DD103": 0.8, "DD105": 0.9, "DD106": 0.9, "DD107": 0.2,
            "DD201": 1.0, "DD202": 0.7, "DD204": 0.5, "DD205": 0.2, "DD206": 0.8, "DD301": 0.8, "DD303": 0.8,
            "DD304": 0.8, "DD305": 0.8, "DD306": 0.5, "DD309": 0.8, "DD310": 0.9,
        },
        tests=(evidence.ill_scaled_data,),
        consults=("ImproperData",),
    ),
    Cause(
        "initialization",
        {
            "DD209": 3.0, "DD210": 3.0, "DD101": 1.0, "DD102": 1.0, "DD103": 0.6, "DD105": 0.4, "DD106": 0.4,
            "DD107": 0.5, "DD201": 1.0, "DD202": 0.6, "DD203": 0.6, "DD204": 0.6, "DD205": 0.8, "DD206": 0.9,
            "DD207": 0.5, "DD208": 0.5, "DD301": 0.4, "DD303": 0.7, "DD304": 0.7, "DD305": 0.5, "DD309": 1.0,
            "DD308": 0.2, "DD310": 0.6,
        },
        tests=(evidence.ill_scaled_weights, evidence.dead_from_start),
        consults=("ImproperData", "WeightInitialization"),
    ),
    Cause(
        "learning_rate_high",
        {
            "DD207": 3.0, "DD101": 1.0, "DD102": 0.8, "DD103": 1.2, "DD105": 0.8, "DD106": 0.8, "DD107": 0.3,
            "DD201": 1.5, "DD202": 1.0, "DD203": 0.5, "DD204": 0.8, "DD206": 1.2, "DD301": 1.0, "DD302": 0.8,
            "DD303": 0.9, "DD304": 0.9, "DD305": 1.5, "DD306": 1.2, "DD310": 0.8,
        },
        tests=(
            evidence_rate.large_updates, evidence_rate.unusual_high_rate, evidence.died_in_training,
            evidence.broken_at_the_start,
        ),
        consults=("ImproperData", "WeightInitialization", "TuneLearn"),
    ),
    Cause(
        "learning_rate_low",
        {
            "DD208": 3.0, "DD105": 0.5, "DD106": 0.7, "DD107": 0.9, "DD203": 1.0, "DD205": 0.2, "DD303": 0.9,
            "DD304": 0.9, "DD308": 0.7, "DD310": 0.7,
        },
        tests=(
            evidence_rate.small_updates, evidence_rate.unusual_low_rate, evidence_rate.lost_gradient,
            evidence_rate.slow_pace,
        ),
        consults=("ImproperData", "WeightInitialization", "TuneLearn"),
    ),
    Cause(
        "schedule",
        {"DD107": 0.5, "DD203": 0.5, "DD208": 1.0, "DD303": 0.5, "DD304": 0.5, "DD308": 0.5},
        tests=(evidence_rate.rate_run_out,),
        consults=("TuneLearn",),
    ),
    Cause(
        "disconnected",
        {"DD203": 1.5, "DD204": 1.5, "DD107": 0.5, "DD303": 0.3, "DD304": 0.3},
        tests=(evidence.disconnected_variables,),
    ),
    Cause(
        "frozen",
        {"DD203": 1.0, "DD303": 0.5, "DD304": 0.5, "DD308": 0.5},
        needs=frozenset({"DD203"}),
        tests=(evidence.frozen_model,),
    ),
    Cause("negative_loss", {"DD301": 1.0, "DD305": 0.5, "DD206": 0.5}, needs=frozenset({"DD301"}),
          tests=(evidence.negative_loss,)),
    Cause(
        "hidden_activation",
        {
            "DD101": 0.6, "DD102": 0.9, "DD105": 0.4, "DD106": 0.4, "DD107": 0.3, "DD203": 0.4, "DD204": 0.6,
            "DD205": 1.0, "DD303": 0.5, "DD304": 0.5, "DD310": 0.5,
        },
        tests=(evidence.saturating_layers,),
        consults=("ImproperData", "WeightInitialization", "TuneLearn"),
    ),
    Cause(
        "depth",
        {"DD205": 0.9, "DD206": 0.6, "DD204": 0.3, "DD303": 0.3, "DD304": 0.3},
        needs=frozenset({"DD205", "DD206", "DD204"}),
        tests=(evidence.deep_and_plain,),
        consults=("TuneLearn",),
    ),
    Cause(
        "overflow",
        {"DD103": 1.0, "DD202": 1.0, "DD301": 1.0, "DD302": 0.5, "DD201": 0.4},
        needs=frozenset({"DD103", "DD201", "DD202", "DD301"}),
        tests=(evidence.finite_weights,),
        consults=("ImproperData", "WeightInitialization", "TuneLearn"),
    ),
    _named(
        "penalty", "DD311", weight=5,
        explains={**FLAT, "DD101": 0.5, "DD107": 0.8, "DD207": 0.8, "DD303": 0.9, "DD310": 0.9},
    ),
    _named("target_scale", "DD417", explains={**FLAT, "DD208": 0.5, "DD309": 1.0, "DD310": 0.9}),
    _named("imbalance", "DD413", explains={"DD105": 0.8, "DD304": 0.8, "DD310": 0.5}),
    _named("dropped_mask", "DD425", explains=FLAT),
    _named("batch_norm_gap", "DD211", explains={"DD307": 0.5}),
    _named(
        "dropout", "DD422", weight=5,
        explains={
            **NUMERIC, **DEAD, "DD105": 0.8, "DD106": 0.8, "DD107": 0.5, "DD207": 0.5, "DD303": 0.8, "DD304": 0.8,
            "DD308": 0.8, "DD310": 0.8,
        },
    ),
    _named("split", "DD416", explains={"DD304": 0.5, "DD306": 0.5, "DD307": 0.8}),
    _named("batch_size", "DD421", explains={"DD306": 0.8, "DD308": 0.5, "DD303": 0.3}),
    _named("overlap", "DD415"),
    _named("duplicates", "DD414"),
    _named("overfitting", "DD307"),
    _named("noisy_labels", "DD312", explains={"DD303": 0.3, "DD304": 0.3, "DD306": 0.3, "DD310": 0.5}),
    Cause(
        "labels_unrelated",
        {"DD105": 0.6, "DD106": 1.0, "DD303": 0.3, "DD304": 0.3, "DD310": 0.8},
        tests=(evidence.input_blind, evidence.hardly_moved),
        consults=("ImproperData", "WeightInitialization", "TuneLearn"),
    ),
    Cause("too_few_epochs", {"DD308": 1.5}),
    Cause(
        "capacity",
        {"DD303": 0.4, "DD304": 0.4, "DD310": 0.4, "DD105": 0.2, "DD106": 0.2},
        tests=(evidence.partial_skill,),
        consults=("ImproperData", "WeightInitialization", "TuneLearn"),
    ),
    Cause("metric", {"DD302": 0.9}, tests=(evidence.regression,)),
    Cause("oscillation", {"DD306": 0.3}),
    Cause("initial_loss", {"DD309": 0.3}),
)  # fmt: skip

CAUSES = (*STATIC_CAUSES, *DYNAMIC_CAUSES)
OTHER = Cause("other", {})
