"""Which kind of layer a class is: what it can learn, and how its output follows from its input."""

from __future__ import annotations

import keras

layers = keras.layers
CLASSES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("recurrent", (layers.RNN, layers.Bidirectional, layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D)),
    (
        "attention",
        (layers.MultiHeadAttention, layers.GroupQueryAttention, layers.Attention, layers.AdditiveAttention),
    ),
    ("embedding", (layers.Embedding,)),
    ("dense", (layers.Dense, layers.EinsumDense)),
    (
        "convolution",
        (
            layers.Conv1D, layers.Conv2D, layers.Conv3D,
            layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose,
            layers.DepthwiseConv1D, layers.DepthwiseConv2D, layers.SeparableConv1D, layers.SeparableConv2D,
        ),
    ),
    (
        "normalization",
        (
            layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization,
            layers.UnitNormalization, layers.RMSNormalization,
        ),
    ),
    (
        "preprocessing",
        (
            layers.Normalization, layers.Rescaling, layers.Resizing, layers.CenterCrop, layers.Discretization,
            layers.Hashing, layers.StringLookup, layers.IntegerLookup, layers.TextVectorization,
            layers.CategoryEncoding, layers.RandomCrop, layers.RandomFlip, layers.RandomRotation,
            layers.RandomTranslation, layers.RandomZoom, layers.RandomContrast, layers.RandomBrightness,
        ),
    ),
    (
        "dropout",
        (
            layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D,
            layers.AlphaDropout, layers.GaussianDropout, layers.GaussianNoise, layers.ActivityRegularization,
        ),
    ),
    (
        "activation",
        (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax),
    ),
    (
        "reshape",
        (
            layers.Flatten, layers.Reshape, layers.Permute, layers.RepeatVector, layers.Identity, layers.Masking,
            layers.Cropping1D, layers.Cropping2D, layers.Cropping3D,
            layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D,
        ),
    ),
    (
        "pooling",
        (
            layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D,
            layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D,
            layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
            layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D,
            layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D,
        ),
    ),
    (
        "merge",
        (
            layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum,
            layers.Concatenate, layers.Dot,
        ),
    ),
)  # fmt: skip
MERGING_OPERATIONS = ("Add", "Subtract", "Multiply", "Divide", "Concatenate", "Maximum", "Minimum", "Matmul", "Stack")
RESHAPING_OPERATIONS = ("Reshape", "Squeeze", "ExpandDims", "Transpose", "GetItem", "Cast", "Ravel")


def family_of(operation: keras.Operation) -> str:
    """Return one of `deepdebug.facts.FAMILIES` for a layer or an operation of a functional graph.

    A `TimeDistributed` wrapper belongs to the family of the layer inside.
    """
    if isinstance(operation, layers.TimeDistributed):
        return family_of(operation.layer)
    for family, classes in CLASSES:
        if isinstance(operation, classes):
            return family
    return "other" if isinstance(operation, keras.layers.Layer) else _family_of_operation(type(operation).__name__)


def _family_of_operation(kind: str) -> str:
    if kind in MERGING_OPERATIONS:
        return "merge"
    return "reshape" if kind in RESHAPING_OPERATIONS else "other"
