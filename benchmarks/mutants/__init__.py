"""Broken models: healthy programs with one fault each, so that silence on healthy models is not bought by blindness.

python -m benchmarks.mutants
"""
