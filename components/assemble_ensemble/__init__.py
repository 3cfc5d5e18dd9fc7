"""KFP component `assemble_ensemble`."""
