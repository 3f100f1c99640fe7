"""The detectors of this preset, in the order in which the program asks."""

from deepdebug.deepdiagnosis.backward import (
    NonFiniteGradient,
    NonFiniteWeights,
    UnchangedGradient,
    UnchangedWeights,
    VanishingGradient,
)
from deepdebug.deepdiagnosis.forward import (
    DeadUnits,
    NonFiniteActivation,
    OutputRange,
    SaturatedUnits,
    UnchangedActivation,
)
from deepdebug.deepdiagnosis.metrics import AccuracyNotIncreasing, InvalidAccuracy, InvalidLoss, LossNotDecreasing
from deepdebug.detectors.registry import Rule

DETECTORS: tuple[Rule, ...] = (
    OutputRange,
    NonFiniteActivation,
    DeadUnits,
    SaturatedUnits,
    UnchangedActivation,
    InvalidLoss,
    LossNotDecreasing,
    InvalidAccuracy,
    AccuracyNotIncreasing,
    NonFiniteGradient,
    VanishingGradient,
    NonFiniteWeights,
    UnchangedGradient,
    UnchangedWeights,
)
