"""Render every overlay and check it: `python -m infra.checks KUBECTL SCHEMAS`."""

import subprocess
import sys
from pathlib import Path

import yaml

from infra.checks.rules import Manifest, broken_rules
from infra.checks.schemas import RAY_CLUSTER, read_definition, wrong_fields

KUSTOMIZE = Path(__file__).parents[1] / "kustomize"
OVERLAYS = ("cluster", "gpu", "local-kind")


def rendered(kubectl: str, overlay: str) -> list[Manifest]:
    """The manifests of an overlay, as `kubectl apply -k` would send them."""
    command = [kubectl, "kustomize", str(KUSTOMIZE / overlay)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [dict(manifest) for manifest in yaml.safe_load_all(text)]


def main() -> None:
    """Say what is wrong with each overlay, and exit 1 if anything is."""
    kubectl, schemas = sys.argv[1], Path(sys.argv[2])
    definitions = []
    if schemas.is_dir():
        definitions.append(read_definition(schemas / RAY_CLUSTER))
    else:
        print(f"{schemas}: not here, so no RayCluster is checked against KubeRay's schema.")
    is_good = True
    for overlay in OVERLAYS:
        place = f"infra/kustomize/{overlay}"
        try:
            manifests = rendered(kubectl, overlay)
        except subprocess.CalledProcessError as error:
            print(f"{place}: {error.stderr.strip()}")
            is_good = False
            continue
        checked = [each for each in manifests if definitions or each["kind"] != "RayCluster"]
        problems = [*wrong_fields(checked, definitions), *broken_rules(manifests)]
        for problem in problems:
            print(f"{place}: {problem}")
        print(f"{place}: {len(manifests)} manifests, {len(problems)} problems")
        is_good = is_good and not problems
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
