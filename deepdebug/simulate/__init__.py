"""A simulator: pictures of eyes and faces with known parameters, planted causes of failures and the truth about them.

The command `deepdebug simulate` writes a whole case. In Python:

>>> import numpy as np
>>> from deepdebug.simulate import CASES, render, sample
>>> drawn = sample(CASES["GD"], seed=0, part="TestSet", index=np.arange(8))
>>> render("eye", drawn.parameters).shape
(8, 64, 64, 1)
"""

from deepdebug.simulate.anatomy import landmarks
from deepdebug.simulate.cases import CASES, Case
from deepdebug.simulate.causes import CAUSES, Cause
from deepdebug.simulate.parameters import RANGES, Parameters, nominal
from deepdebug.simulate.rendering import render
from deepdebug.simulate.sampling import Sample, sample
from deepdebug.simulate.truth import Truth, causes_of_failures

__all__ = [
    "CASES",
    "CAUSES",
    "RANGES",
    "Case",
    "Cause",
    "Parameters",
    "Sample",
    "Truth",
    "causes_of_failures",
    "landmarks",
    "nominal",
    "render",
    "sample",
]
