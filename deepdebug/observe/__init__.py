"""Turns arrays into records of numbers; knows numpy and no Keras."""
