"""Intervals, bootstraps, correlation in time, predictive tests and multiple testing, on plain numbers."""
