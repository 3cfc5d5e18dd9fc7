"""Datasets: images and masks on disk, readers, label formats, splits, audit, DVC versions. No torch here."""
