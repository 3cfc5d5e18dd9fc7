"""Arrays in, numbers out: metrics, calibration, uncertainty, conformal quantiles, trivial baselines."""
