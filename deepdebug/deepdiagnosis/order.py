"""The order of the program's loops inside one epoch."""

from __future__ import annotations

from collections.abc import Sequence

from deepdebug.detectors import flow
from deepdebug.observation import Run
from deepdebug.records import Finding

FORWARD = ("DD104", "DD103", "DD101", "DD102")  # per layer, first to last
METRICS = ("DD301", "DD303", "DD302", "DD304")
BACKWARD = ("DD202", "DD205", "DD201")  # per layer, last to first
UNCHANGED = ("DD204", "DD203")  # per layer, last to first


def in_loop_order(run: Run, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings as the program would meet them: by epoch, then by its loops."""
    positions = flow.positions(run.facts)

    def key(finding: Finding) -> tuple[int, int, int, int]:
        place = positions.get(flow.base_name(finding.layer or ""), len(positions))
        if finding.code in FORWARD:
            return finding.epoch, 0, place, FORWARD.index(finding.code)
        if finding.code in METRICS:
            return finding.epoch, 2, 0, METRICS.index(finding.code)
        if finding.code in BACKWARD:
            return finding.epoch, 3, -place, BACKWARD.index(finding.code)
        if finding.code in UNCHANGED:
            return finding.epoch, 4, -place, UNCHANGED.index(finding.code)
        return finding.epoch, 1, place, 0

    return tuple(sorted(findings, key=key))
