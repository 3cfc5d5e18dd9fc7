"""KFP component `get_ensemble`."""
