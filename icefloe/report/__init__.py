"""Figures, and one self-contained HTML page a run."""
