"""KFP component `close_run`."""
