"""HUDD: from a trained model and its failing images to clusters with one root cause each.

`run` does all of it on a model and arrays, `deepdebug hudd run` on images in folders; `unsafe_set` and `retrain` go on
from there, as `Choice`, `Retraining` and `TrainSettings` tell. The steps are those of Fahmy et al., "HUDD: a tool to
debug DNNs for safety analysis" (ICSE 2022). `cluster` groups arrays, without Keras; its defaults
differ from theirs, which `mode="hudd"` keeps.

>>> import numpy as np
>>> from deepdebug.hudd import cluster, heatmap_views
>>> random = np.random.default_rng(1)
>>> causes = np.repeat(random.normal(size=(4, 8, 8, 3)), 25, axis=0)
>>> maps = {"conv": causes + 0.5 * random.normal(size=(100, 8, 8, 3))}
>>> cluster(heatmap_views(maps)).sizes.tolist()
[25, 25, 25, 25]
"""

import importlib
from typing import TYPE_CHECKING, Any

from deepdebug.hudd.baselines import pair_partition, pixel_view
from deepdebug.hudd.clusters import Clusters, cluster
from deepdebug.hudd.notes import Note
from deepdebug.hudd.significance import Significance
from deepdebug.hudd.slicers import domino
from deepdebug.hudd.views import View, embed, feature_views, heatmap_views

if TYPE_CHECKING:
    from deepdebug.hudd.arrays import Result as Result
    from deepdebug.hudd.arrays import run as run
    from deepdebug.retraining.arrays import retrain as retrain
    from deepdebug.retraining.arrays import unsafe_set as unsafe_set
    from deepdebug.retraining.asked import Choice as Choice
    from deepdebug.retraining.asked import Retraining as Retraining
    from deepdebug.retraining.asked import TrainSettings as TrainSettings

__all__ = [
    "Choice",
    "Clusters",
    "Note",
    "Result",
    "Retraining",
    "Significance",
    "TrainSettings",
    "View",
    "cluster",
    "domino",
    "embed",
    "feature_views",
    "heatmap_views",
    "pair_partition",
    "pixel_view",
    "retrain",
    "run",
    "unsafe_set",
]


_LATE = {
    "Choice": "deepdebug.retraining.asked",
    "Result": "deepdebug.hudd.arrays",
    "Retraining": "deepdebug.retraining.asked",
    "TrainSettings": "deepdebug.retraining.asked",
    "run": "deepdebug.hudd.arrays",
    "retrain": "deepdebug.retraining.arrays",
    "unsafe_set": "deepdebug.retraining.arrays",
}


def __getattr__(name: str) -> Any:
    # Late, so that grouping arrays loads neither keras nor a backend.
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module 'deepdebug.hudd' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
