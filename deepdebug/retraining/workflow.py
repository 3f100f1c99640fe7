"""From grouped failures to the unsafe set."""

from __future__ import annotations

from deepdebug.hudd.opening import Stage, silent
from deepdebug.retraining.asked import Choice
from deepdebug.retraining.choices import write_choice
from deepdebug.retraining.choosing import Unsafe, choose
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.grouped import Grouped
from deepdebug.retraining.seeing import Looked, look


def unsafe_set(grouped: Grouped, choice: Choice, engine: Engine, stage: Stage = silent) -> tuple[Looked, Unsafe]:
    """Look at the improvement set and choose images of it; what earlier runs have done is read back.

    Args:
        grouped: The case.
        choice: How images are chosen.
        engine: Where the improvement set is looked at.
        stage: Is told of every stage that is begun. Defaults to `silent`.

    Raises:
        UsageError: When there is no improvement set, or no cluster of two failures or more.
    """
    looked = look(grouped, engine, stage)
    unsafe = choose(grouped, looked, choice, engine, stage)
    write_choice(grouped.request.out, choice)
    return looked, unsafe
