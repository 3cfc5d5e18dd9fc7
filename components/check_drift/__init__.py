"""KFP component `check_drift`."""
