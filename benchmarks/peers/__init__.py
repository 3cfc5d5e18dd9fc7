"""Icefloe beside a plain U-Net script, nnU-Net and trivial baselines, on real images at equal minutes."""
