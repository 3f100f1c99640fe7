"""The rules of relevance propagation, one per file: each is a frozen dataclass with `propagate(part, a, relevance)`."""

from deepdebug.lrp.rules.alpha_beta import AlphaBeta
from deepdebug.lrp.rules.epsilon import Epsilon
from deepdebug.lrp.rules.flat import Flat
from deepdebug.lrp.rules.gamma import Gamma
from deepdebug.lrp.rules.w_square import WSquare
from deepdebug.lrp.rules.z_box import ZBox
from deepdebug.lrp.rules.z_plus import ZPlus

__all__ = ["AlphaBeta", "Epsilon", "Flat", "Gamma", "WSquare", "ZBox", "ZPlus"]
