"""KFP component `register_version`."""
