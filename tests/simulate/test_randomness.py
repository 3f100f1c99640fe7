import numpy as np

from deepdebug.simulate.randomness import image_keys, noise_keys, pixel_noise, uniform


def test_number_of_an_image_does_not_depend_on_the_others():
    among = uniform(image_keys(3, "TestSet", np.arange(50)), "yaw")
    np.testing.assert_array_equal(among[[7, 31]], uniform(image_keys(3, "TestSet", [7, 31]), "yaw"))


def test_seed_set_name_and_attempt_each_give_other_numbers():
    keys = image_keys(3, "TestSet", np.arange(2000))
    numbers = [
        uniform(keys, "yaw"),
        uniform(keys, "pitch"),
        uniform(keys, "yaw", attempt=1),
        uniform(image_keys(4, "TestSet", np.arange(2000)), "yaw"),
        uniform(image_keys(3, "TrainingSet", np.arange(2000)), "yaw"),
    ]
    apart = np.corrcoef(numbers) - np.eye(len(numbers))
    assert np.abs(apart).max() < 0.1


def test_numbers_are_spread_evenly_below_one():
    numbers = uniform(image_keys(0, "TestSet", np.arange(20_000)), "yaw")
    assert numbers.dtype == np.float32
    assert 0 <= numbers.min() <= numbers.max() < 1
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    assert np.abs(counts - 1000).max() < 150


def test_noise_has_mean_zero_and_deviation_one_and_no_pattern():
    noise = pixel_noise(noise_keys(image_keys(0, "TestSet", np.arange(50))), 4096).reshape(50, 64, 64)
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    for other in (np.roll(noise, 1, axis=0), np.roll(noise, 1, axis=1), np.roll(noise, 1, axis=2)):
        assert abs(np.mean(noise * other)) < 0.01


def test_large_seeds_differ():
    assert image_keys(2**32 - 1, "TestSet", 0)[0] != image_keys(2**31 - 1, "TestSet", 0)[0]
