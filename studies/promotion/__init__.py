"""Operating characteristics of the promotion gate: what it promotes after two labels, and how wrongly."""
