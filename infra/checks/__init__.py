"""Checks of the manifests in `infra/kustomize`; `make manifests` runs them."""
