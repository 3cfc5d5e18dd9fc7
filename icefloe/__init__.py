"""Icefloe: from electron-microscope images to trusted segmentations, kept trusted as experiments change."""
