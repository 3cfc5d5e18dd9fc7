"""An ensemble of trained members: prediction, uncertainty, calibration, evaluation."""
