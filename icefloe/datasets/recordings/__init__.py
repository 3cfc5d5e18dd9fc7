"""Recordings, which are too large for memory: opened by name, read frame by frame."""
