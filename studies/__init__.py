"""Studies: the paper's tables and figures, and ours, on the datasets of a workspace."""
