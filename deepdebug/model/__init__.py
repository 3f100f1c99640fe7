"""Reads the Keras model, its training data and the running `fit`, on every backend."""
