"""Choosing what to label, handing it to people, and bringing their labels back."""
