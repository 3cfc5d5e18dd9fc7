"""KFP component `label_from_truth`."""
