"""Settings for the whole suite, which runs on the backend that KERAS_BACKEND names, or on TensorFlow."""

import importlib.util
import os

import hypothesis

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the models are tiny; on a busy machine torch's threads wait in vain
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # compiling takes the time, not computing
BACKEND = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
NEED_KERAS = (
    "backends", "cli/test_hudd.py", "cli/test_lrp.py", "cli/test_lrp_digits.py", "contract", "hudd/bright.py",
    "hudd/test_arrays.py", "hudd/test_docs.py", "hudd/test_explaining.py", "hudd/test_steps.py", "lrp", "model",
    "test_callback.py", "test_demo.py", "test_watch.py",
)  # fmt: skip

hypothesis.settings.register_profile("deterministic", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("deterministic")

HAS_BACKEND = importlib.util.find_spec(BACKEND) is not None
collect_ignore = [] if HAS_BACKEND else list(NEED_KERAS)


def pytest_report_header() -> str:
    skipped = "" if HAS_BACKEND else f", which is not installed: {', '.join(NEED_KERAS)} are left out"
    return f"Keras backend: {BACKEND}{skipped}"
