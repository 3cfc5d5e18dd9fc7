"""KFP component `fewshot`."""
