"""Judging a version: its scores on held-out images, the promotion gate, and whether its temperature helps."""
