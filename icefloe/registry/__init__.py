"""Versions EA-Tn of the ensemble: lineage, promotion gate, promotion and rollback, in MLflow's registry."""
