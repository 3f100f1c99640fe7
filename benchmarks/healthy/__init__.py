"""Healthy models: trainings a good engineer would call fine, on which every finding of deepdebug is a false alarm.

python -m benchmarks.healthy --seeds 3
"""
