"""Checkpoints and scratch on a disk that is really full: told in one line, and nothing half is taken."""

import json
import os
import subprocess
import sys

import pytest

from icefloe.errors import IcefloeError
from icefloe.training.data import prepare
from icefloe.training.fit import fit_member
from icefloe.training.parallel import train_members
from icefloe.training.store import open_store
from tests.small_disk import small_disk

pytestmark = pytest.mark.integration

ONE_STATE_KB = 45_000
"""Room for a checkpoint of 27 MB, and not for the next beside it."""

WRITE_AND_READ = """
import json, sys
from icefloe.errors import explain_system_error
from icefloe.training.store import open_store
store = open_store(sys.argv[1])
said = []
for use in (lambda: store.write("state", bytes(1_000_000)), lambda: store.local("there")):
    try:
        use()
    except OSError as error:
        said.append(explain_system_error(error))
print(json.dumps([said, store.exists("state")]))
"""


def test_training_on_a_full_disk_names_it_and_goes_on_from_its_checkpoint_once_there_is_room(
    make_dataset, split, config, tmp_path
):
    dataset = make_dataset()
    config = config.model_copy(update={"members": config.members[:1]})
    (spec,) = config.members

    def train():
        return train_members(
            [dataset], split, config, output=tmp_path / "members", checkpoints=disk.path / "checkpoints"
        )

    with small_disk(tmp_path / "disk", ONE_STATE_KB) as disk:
        with pytest.raises(IcefloeError) as error:
            train()
        (checkpoints,) = (disk.path / "checkpoints").iterdir()
        assert str(error.value).startswith(f"{spec.name}: {checkpoints}")
        assert str(error.value).endswith(
            ": No space left on device. Make room there, then run the command again."
        )
        assert sorted(path.name for path in checkpoints.iterdir()) == ["progress.json", "state.safetensors"]
        assert not (tmp_path / "members").exists()

        disk.resize(10 * ONE_STATE_KB)
        members = train()

    (data,) = prepare([dataset], split, config.preprocessing)
    undisturbed = fit_member(spec, data, config, tmp_path / "undisturbed")
    assert members.receipts[0].weights_sha256 == undisturbed.weights_sha256


def test_a_full_scratch_is_named_where_checkpoints_are_on_s3_and_nothing_is_written_there(bucket, tmp_path):
    place = f"s3://{bucket.name}/checkpoints"
    open_store(place).write("there", bytes(1_000_000))
    with small_disk(tmp_path / "scratch", 500) as disk:
        done = subprocess.run(
            [sys.executable, "-c", WRITE_AND_READ, place],
            env={**os.environ, "TMPDIR": str(disk.path)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        said, is_there = json.loads(done.stdout)
        left = list(disk.path.iterdir())
    for line in said:
        assert line.startswith(str(disk.path))
        assert line.endswith(": No space left on device. Make room there, then run the command again.")
    assert (len(said), is_there, left) == (2, False, [])
