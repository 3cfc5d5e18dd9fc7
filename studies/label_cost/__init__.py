"""What a label buys: the loop replayed with each sampling strategy, against two random baselines."""
