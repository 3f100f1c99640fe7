"""The rules of relevance propagation, one per file: each is a frozen dataclass with `propagate(part, a, relevance)`.

The files are found by looking, so that one can be added, renamed or deleted without touching any other.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepdebug.lrp.rules.alpha_beta import AlphaBeta as AlphaBeta
    from deepdebug.lrp.rules.epsilon import Epsilon as Epsilon
    from deepdebug.lrp.rules.flat import Flat as Flat
    from deepdebug.lrp.rules.gamma import Gamma as Gamma
    from deepdebug.lrp.rules.w_square import WSquare as WSquare
    from deepdebug.lrp.rules.z_box import ZBox as ZBox
    from deepdebug.lrp.rules.z_plus import ZPlus as ZPlus


def _found() -> dict[str, type]:
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    return {
        name: one
        for module in modules
        for name, one in vars(module).items()
        if isinstance(one, type) and one.__module__ == module.__name__ and hasattr(one, "propagate")
    }


globals().update(_found())
__all__ = sorted(_found())  # noqa: PLE0605 - a list, made of what is there
