"""What a label is worth: the loop replayed with each sampling strategy, against two random baselines."""
