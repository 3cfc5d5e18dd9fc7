"""KFP component `predict_images`."""
