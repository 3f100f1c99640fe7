"""Healthy models and single-fault mutants of them: what thresholds are set on, and what they are judged by."""
