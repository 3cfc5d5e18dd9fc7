"""Training candidates for an ensemble side by side, and choosing the ones that are good enough."""
