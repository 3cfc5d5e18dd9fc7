"""Few-shot classification of an image's chips by prototypes (Snell et al. 2017; Doty et al. 2022)."""
