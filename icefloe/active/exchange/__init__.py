"""Queue items out to other labelling tools, and their labels back."""
