"""Detectors: each file finds one symptom in a `Run` and knows no Keras; the file's docstring is its rule page."""

from deepdebug.detectors.registry import Detector, Rule, all_rules, find_rule, judge, select_rules

__all__ = ["Detector", "Rule", "all_rules", "find_rule", "judge", "select_rules"]
