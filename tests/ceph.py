"""Ceph's S3 on this machine: one monitor, one OSD that keeps its objects in memory, one gateway."""

import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.ray_cluster import free_port, wait_for

ACCESS_KEY, SECRET_KEY = "icefloe", "of-a-store-that-lives-for-a-test"
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw")

# Nobody asks who anybody is, since all listen on loopback only; the gateway would want to encrypt by a key.
_CONFIG = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor}/0]
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms bind msgr1 = false
mon allow pool size one = true
mon warn on pool no redundancy = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
mon data = {folder}/mon
osd data = {folder}/osd
run dir = {folder}
crash dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{gateway}
rgw rados pool pg num min = 4
rgw enable apis = s3, admin
"""


@dataclass(frozen=True)
class Store:
    """An S3 server that runs.

    Attributes
    ----------
    seconds
        It took to start.
    """

    address: str
    seconds: float

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 goes by."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


def missing_programs() -> list[str]:
    """Those of Ceph's programs that this machine lacks."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextmanager
def ceph() -> Iterator[Store]:
    """A gateway with one user, while the block runs."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ceph", dir="/tmp"))  # the path of a socket may have 107 characters
    monitor, gateway = free_port(), free_port()
    config = folder / "ceph.conf"
    fsid = str(uuid.uuid4())
    config.write_text(_CONFIG.format(fsid=fsid, monitor=monitor, gateway=gateway, folder=folder))
    for name in ("mon", "osd", "rgw"):
        (folder / name).mkdir()
    processes: list[subprocess.Popen] = []

    def call(program: str, *arguments: str) -> str:
        done = subprocess.run(
            [program, "--conf", str(config), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stderr[-3000:]}"
        return done.stdout

    def start(program: str, *arguments: str) -> None:
        with (folder / f"{program}.out").open("wb") as log:
            command = [program, "--conf", str(config), "--foreground", *arguments]
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def is_up() -> bool:
        for process in processes:
            assert process.poll() is None, "\n".join(
                path.read_text(errors="replace")[-3000:] for path in folder.glob("*.out")
            )
        try:
            return requests.get(address, timeout=5).ok
        except requests.RequestException:
            return False

    address = f"http://127.0.0.1:{gateway}"
    try:
        address_of_monitor = f"[v2:127.0.0.1:{monitor}]"
        call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address_of_monitor, str(folder / "map"))
        call("ceph-mon", "--mkfs", "--id", "a", "--monmap", str(folder / "map"))
        start("ceph-mon", "--id", "a")
        call("ceph", "osd", "new", (osd := str(uuid.uuid4())))
        call("ceph-osd", "--mkfs", "--id", "0", "--osd-uuid", osd)
        start("ceph-osd", "--id", "0")
        keys = (f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}")
        call("radosgw-admin", "user", "create", "--uid=icefloe", "--display-name=Icefloe", *keys)
        start("radosgw", "--name", "client.admin")
        wait_for(is_up, "Ceph's gateway")
        yield Store(address, time.monotonic() - began)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in reversed(processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)
