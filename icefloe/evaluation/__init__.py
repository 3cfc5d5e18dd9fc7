"""Evaluation of versions: scores on held-out images, the promotion gate, the check of the temperature."""
