"""What a version promises of new experiments, kept with it from its calibration on."""

import json

from mlflow.entities.model_registry import ModelVersion

from icefloe.ensemble.guarantees import Guarantees
from icefloe.registry.store import StoreSettings, VersionStore, run_id_of

GUARANTEES_FILE = "guarantees.json"
GUARANTEES_TAG = "guarantees"


def attach_guarantees(settings: StoreSettings, version: str, guarantees: Guarantees) -> None:
    """Keep guarantees with a version (name or alias), in place of earlier ones."""
    store = VersionStore(settings)
    found = store.find(version)
    store.client.log_text(run_id_of(found), json.dumps(guarantees.model_dump(), indent=1), GUARANTEES_FILE)
    store.tag(found, {GUARANTEES_TAG: GUARANTEES_FILE})


def read_guarantees(settings: StoreSettings, version: str) -> Guarantees | None:
    """Guarantees of a version (name or alias); None where it was never calibrated."""
    store = VersionStore(settings)
    return guarantees_of(store, store.find(version))


def guarantees_of(store: VersionStore, version: ModelVersion) -> Guarantees | None:
    """As `read_guarantees`, of a version that was found."""
    if GUARANTEES_TAG not in version.tags:
        return None
    return Guarantees.model_validate(store.read_json(version, version.tags[GUARANTEES_TAG]))
