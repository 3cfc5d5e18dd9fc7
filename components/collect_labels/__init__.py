"""KFP component `collect_labels`."""
