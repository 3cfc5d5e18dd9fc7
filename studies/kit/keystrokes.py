"""Times of what a person does at mouse and keys."""

KEY_S, POINT_S, THINK_S = 0.28, 1.1, 1.35
"""A key, pointing, making up one's mind: the keystroke-level model (Card, Moran and Newell 1980)."""

DRAW_PX_PER_S = 300.0
"""Speed of a hand along a line, screen pixels."""
