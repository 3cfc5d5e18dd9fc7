"""KFP component `resolve`."""
