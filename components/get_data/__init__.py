"""KFP component `get_data`."""
