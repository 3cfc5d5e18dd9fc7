"""What the manifests say agrees with the rest of the repository; `make manifests` renders and checks them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from icefloe.cli.main import app
from icefloe.settings import load_settings
from icefloe.settings_sources import MOUNTED_VARIABLE

REPOSITORY = Path(__file__).parents[2]
KUSTOMIZE = REPOSITORY / "infra" / "kustomize"
PAGE = (REPOSITORY / "docs" / "cluster.md").read_text(encoding="utf-8")


def written() -> Iterator[Any]:
    """Everything in the files that the overlays are made of."""
    for path in sorted(KUSTOMIZE.glob("*/*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def values(node: Any, key: str) -> Iterator[Any]:
    """Every value of a key, at any depth."""
    if isinstance(node, dict):
        if key in node:
            yield node[key]
        for value in node.values():
            yield from values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from values(value, key)


def test_the_page_lists_every_secret_and_key_that_a_manifest_names():
    table = PAGE.partition("| secret |")[2].partition("\n\n")[0]
    named = {(ref["name"], ref.get("key")) for doc in written() for ref in values(doc, "secretKeyRef")}
    named |= {(ref["name"], None) for doc in written() for ref in values(doc, "secretRef")}
    named |= {(name, None) for doc in written() for name in values(doc, "secretName")}
    rows = {line.split("|")[1].strip().strip("`"): line for line in table.splitlines() if "`" in line}
    missing = [
        (name, key) for name, key in named if name not in rows or (key and f"`{key}`" not in rows[name])
    ]
    assert named
    assert not missing


def test_the_ray_cluster_is_of_the_version_that_the_image_has():
    pinned = re.search(r"^ray==(.+)$", (REPOSITORY / "constraints.txt").read_text(encoding="utf-8"), re.M)
    assert set(values(list(written()), "rayVersion")) == {pinned[1]}


def test_containers_run_commands_that_the_command_line_takes():
    run = [command for command in values(list(written()), "command") if command[0] == "icefloe"]
    assert {command[1] for command in run} == {"serve", "worker", "db"}
    for _, *arguments in run:
        group, context = typer.main.get_command(app), None
        while hasattr(group, "commands"):
            name, *arguments = arguments
            group = group.commands[name]
            context = group.make_context(name, list(arguments), parent=context, resilient_parsing=False)


def test_every_group_of_ray_workers_asks_its_node_the_same():
    """KubeRay's own probes would need wget in the image."""
    (cluster,) = [doc for doc in written() if isinstance(doc, dict) and doc.get("kind") == "RayCluster"]
    groups = [*cluster["spec"]["workerGroupSpecs"]]
    groups += [patch["value"] for doc in written() if isinstance(doc, list) for patch in doc]
    probes = [
        {kind: container[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
        for group in groups
        for container in group["template"]["spec"]["containers"]
    ]
    assert len(probes) == 2
    assert probes[0] == probes[1]


@pytest.mark.parametrize("path", sorted(KUSTOMIZE.glob("*/icefloe.toml")), ids=lambda path: path.parent.name)
def test_pods_can_use_the_settings_that_an_overlay_mounts(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MOUNTED_VARIABLE, str(path))
    settings = load_settings()
    assert (settings.profile, settings.folder) == ("cluster", None)
