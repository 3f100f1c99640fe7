"""Trains over two logical CPUs, which must be set up before TensorFlow starts: a test runs this in its own process."""

from deepdebug.callback import Diagnose
from tests.backends.trainings import train


def main() -> None:
    import tensorflow as tf

    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    for kind in ("validation_split", "tf.data"):
        doctor = Diagnose(verbose=0)
        plain = train(kind, scope=tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope())
        watched = train(kind, callbacks=[doctor], scope=tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope())
        assert watched == plain, kind
        assert len(doctor.report.run.observations) >= 2, kind
        assert kind == "tf.data" or all(seen.rows for seen in doctor.report.run.observations), doctor.report


if __name__ == "__main__":
    main()
