"""Predicted Dice before labels: coverage and correlation with the truth, on experiments not fitted."""
