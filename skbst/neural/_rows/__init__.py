"""What is learnt from: checked features, labels, weights, and their parts."""
