"""Few-shot classification, measured: how right, how sure and how fast it is, and where it loses."""
