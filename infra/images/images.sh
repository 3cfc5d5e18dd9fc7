#!/usr/bin/env bash
# Builds the image for CPUs and tries it: images.sh FOLDER, with the environment's pip and pytest in it.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$1
recipe=infra/images/Containerfile
base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' $recipe)
version=$("$bin/python" -c 'from importlib.metadata import version; print(version("icefloe"))')
torch=$(sed -n 's/^torch==//p' constraints.txt)
engine=../shared/tools/container-engine

refuse() { echo "make: $1" >&2; exit 1; }
has_base() { docker image inspect "$base" || docker pull --quiet "$base"; }
if ! { docker version && has_base; } > /dev/null 2>&1; then
  [[ -f $engine ]] || refuse "no Docker engine answers here that has $base or can fetch it. Start one, or set DOCKER_HOST."
  started=$(bash $engine base) || refuse "$engine could not start a Docker engine, for the reason above. Set DOCKER_HOST to another."
  trap 'bash $engine down' EXIT
  eval "$(tail -n 1 <<< "$started")"
fi

compgen -G "build/wheels/torch-$torch+cpu-*.whl" > /dev/null ||
  "$bin/pip" download --quiet --no-deps --dest build/wheels "torch==$torch+cpu" ||
  refuse "there is no torch $torch+cpu. Put its wheel into build/wheels, or name an index that has it in PIP_EXTRA_INDEX_URL."

# Builders without BuildKit are the rule in clusters, and every other can do as much.
export DOCKER_BUILDKIT=0
began=$SECONDS
docker build --quiet --file $recipe --tag "icefloe:$version" \
  --build-arg VARIANT=cpu --build-arg VERSION="$version" \
  --build-arg REVISION="$(git describe --always --dirty --abbrev=40 --exclude '*')" . > /dev/null
echo "icefloe:$version built in $((SECONDS - began)) s:" \
  "$(docker image inspect --format '{{.Size}}' "icefloe:$version" | awk '{printf "%.2f GB", $1 / 1e9}')"

"$bin/pytest" -m images tests/infra
