"""Statistics of the drift gate: how often it errs, what it detects, and whether it says what moved."""
