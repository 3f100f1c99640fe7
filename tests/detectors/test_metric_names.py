import pytest

from deepdebug.detectors.metric_names import accuracy_name, is_accuracy, is_loss


@pytest.mark.parametrize(
    "name", ["acc", "accuracy", "val_accuracy", "binary_accuracy", "head_top_k_categorical_accuracy"]
)
def test_accuracies_are_recognised(name):
    assert is_accuracy(name)
    assert not is_loss(name)


@pytest.mark.parametrize("name", ["loss", "val_loss", "head_loss", "val_head_loss"])
def test_losses_are_recognised(name):
    assert is_loss(name)
    assert not is_accuracy(name)


@pytest.mark.parametrize("name", ["mae", "auc", "lossy", "learning_rate"])
def test_other_metrics_are_neither(name):
    assert not is_accuracy(name)
    assert not is_loss(name)


def test_one_plain_accuracy_is_chosen():
    logs = {"loss": 1.0, "accuracy": 0.5, "top_k_categorical_accuracy": 0.9, "val_accuracy": 0.4}
    assert accuracy_name(logs) == "accuracy"
    assert accuracy_name(logs, validation=True) == "val_accuracy"


def test_several_accuracies_name_none():
    assert accuracy_name({"left_accuracy": 0.5, "right_accuracy": 0.5}) is None
