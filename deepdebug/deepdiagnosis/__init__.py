"""DeepDiagnosis (ICSE 2022) as a preset: its symptoms, windows, thresholds and tree, as a baseline to compare with.

Where the published program contradicts its own description, the description is followed. The differences:

- Tensors are judged element by element; the program looks at their mean, so that a mean of exactly 0 is a numerical
  error and two different tensors of one mean are "unchanged". Here zero means that all elements are 0.
- The variance of the weights is taken over all elements; the program takes it over their mean, one single number, which
  is never a number, so that it never says "initialisation".
- TuneLearn pairs each weight matrix with its own gradient and uses the norm of both; the program pairs lists of
  different length and divides by the mean of the weights. The learning rate is read from the optimizer, not passed in.
- Out of range says "softmax" for a cross-entropy only; a condition of the program that is always true says it for every
  loss. Activations without a rule are passed over; the program stops with an error.
- Loss not decreasing is reported; the program stops with an error there.
- Loss not decreasing and accuracy not increasing mean that no value of the window is better than the one before it. The
  program asks whether mean and maximum are equal, which rounding spoils for equal values and which a rising loss never
  meets.
- Unchanged means equal but for float32 rounding, for the same reason.
- Activations are recognised inside layers, not by the names of layers; gradients belong to the layers that own the
  weights, not to every second entry of a list. Kernels of all learning layers but recurrent ones are judged, not only
  those of layers named "dense". Recurrent layers are left out, as the authors state.
- Layers that merely reshape or preprocess cannot change and are not judged as unchanged; the program leaves "flatten"
  out.
- A numerical error in the gradient of the last learning layer says "loss"; the program says nothing for the last layer.
- The probe rows are a sample of the training data in inference mode, not the first rows in the mode that happens to be
  the default.
- The mean absolute gradient is not recorded; its root mean square, which is never smaller, stands in for it.
- Saturation counts outputs in the flat part (derivative at most 0.01 for sigmoid, 0.02 for tanh); the program counts
  inputs beyond 5 in size.
- State is not kept between two trainings, and nothing is done to stop the process.
- Of a recording of the preset "default" with short epochs, see `deepdebug.pace`, no window of outputs, weights or
  gradients can be judged; record with `check_freq="epoch"`.

What it shares with the program: one check per epoch; windows of 5 epochs that do not overlap, 20 for accuracy; dead
nodes in the last planned epoch only; one symptom and one message per run; every threshold.
"""

from deepdebug.deepdiagnosis.detectors import DETECTORS
from deepdebug.deepdiagnosis.order import in_loop_order
from deepdebug.deepdiagnosis.tree import diagnose

__all__ = ["DETECTORS", "diagnose", "in_loop_order"]
