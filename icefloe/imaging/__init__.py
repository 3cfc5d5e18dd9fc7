"""Frames to network input: stacking, region, rescaling with geometry kept, augmentation; no torch here."""
