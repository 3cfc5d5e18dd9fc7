"""KFP component `start_run`."""
