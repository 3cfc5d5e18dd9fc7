"""KFP component `prune_members`."""
