"""KFP component `evaluate_ensemble`."""
