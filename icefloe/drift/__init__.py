"""The drift gate: is a new dataset like those the ensemble was benchmarked on? It imports no torch."""
