"""A running Label Studio: images out to it, annotations back."""
