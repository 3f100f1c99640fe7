"""Lets several trainings run in turn, one epoch each, so that a slow moment of the machine hits them alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Turn:
    """One participant's handle: while it holds the turn, everybody else waits.

    Args:
        turns: The round it belongs to.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def wait(self) -> None:
        """Wait until it is this participant's turn."""
        with self._turns.changed:
            self._turns.changed.wait_for(lambda: self._turns.waiting[0] is self)

    def hand_over(self) -> None:
        """Give the turn to the next participant."""
        with self._turns.changed:
            self._turns.waiting.append(self._turns.waiting.pop(0))
            self._turns.changed.notify_all()

    def leave(self) -> None:
        """Take no further turns."""
        with self._turns.changed:
            self._turns.waiting.remove(self)
            self._turns.changed.notify_all()


class Turns:
    """The order of the participants; the first one in `waiting` holds the turn."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting: list[Turn] = []


def in_turns(works: Sequence[Callable[[Turn], Result]]) -> list[Result]:
    """Run every piece of work in a thread of its own, one at a time, and return their results in order.

    A piece of work begins with the turn, gives it away with `hand_over` and continues after `wait`. What it raises is
    raised here, after the others have ended.
    """
    turns = Turns()
    turns.waiting = [Turn(turns) for _ in works]

    def start(work: Callable[[Turn], Result], turn: Turn) -> Result:
        turn.wait()
        try:
            return work(turn)
        finally:
            turn.leave()

    with ThreadPoolExecutor(max(1, len(works))) as pool:
        futures = [pool.submit(start, work, turn) for work, turn in zip(works, list(turns.waiting), strict=True)]
    return [future.result() for future in futures]
