"""KFP component `train_members`."""
