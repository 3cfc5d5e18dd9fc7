"""Versions EA-Tn and of other families: lineage, promotion and rollback, in MLflow's registry."""
