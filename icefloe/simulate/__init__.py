"""Physical simulation of experiments with exact truth: ice melting in water, seen by an electron camera."""
