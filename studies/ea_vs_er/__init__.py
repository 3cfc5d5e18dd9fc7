"""Ensembles of architectures (EA) against those of one architecture's seeds (ER): Baskaran et al. 2022."""
