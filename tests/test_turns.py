import threading
import time

import pytest

from benchmarks.turns import in_turns


def steps(name, count, seen):
    def work(turn):
        for step in range(count):
            seen.append(f"{name}{step}")
            turn.hand_over()
            turn.wait()
        return name

    return work


def test_participants_alternate_and_the_longer_one_goes_on_alone():
    seen = []
    assert in_turns([steps("a", 3, seen), steps("b", 1, seen)]) == ["a", "b"]
    assert seen == ["a0", "b0", "a1", "a2"]


def test_one_at_a_time():
    busy = threading.Lock()

    def work(turn):
        for _ in range(20):
            assert busy.acquire(blocking=False)
            time.sleep(0.001)  # lets the others in, were they allowed to
            busy.release()
            turn.hand_over()
            turn.wait()

    in_turns([work] * 4)


def test_failure_of_one_lets_the_others_end_and_is_raised():
    seen = []

    def broken(turn):
        turn.hand_over()
        turn.wait()
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        in_turns([broken, steps("b", 2, seen)])
    assert seen == ["b0", "b1"]


def test_no_work_gives_no_results():
    assert in_turns([]) == []
