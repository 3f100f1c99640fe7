"""Steps 3 to 7 of HUDD: choose what to label, retrain, and measure what it brought.

The steps are those of Fahmy et al., "Supporting Deep Neural Network Safety Analysis and Retraining Through
Heatmap-Based Unsupervised Learning" (IEEE Transactions on Reliability 2021), sections III-D to III-F.
"""
