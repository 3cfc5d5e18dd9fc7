"""KFP component `write_report`."""
