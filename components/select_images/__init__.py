"""KFP component `select_images`."""
