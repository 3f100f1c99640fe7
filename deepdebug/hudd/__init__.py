"""HUDD: from a trained model and its failing images to clusters with one root cause each."""
