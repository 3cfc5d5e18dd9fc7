"""A PostgreSQL server to measure and to test on."""

import os
import pwd
import shutil
import subprocess
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from icefloe.errors import IcefloeError


class PostgreSQL:
    """A PostgreSQL server of one's own, on a socket in its folder.

    The user `guarded` needs the password `s3cret`, `postgres` none. Without `fsync` it is quicker, and loses
    what it has in a power cut.
    """

    def __init__(self, folder: Path, fsync: bool = False) -> None:
        self.folder = folder
        self._numbers = count(1)
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._call(
            "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"
        )
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        options += "" if fsync else " -c fsync=off"
        self._call("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        self.execute("CREATE ROLE guarded LOGIN PASSWORD 's3cret'")

    def url(self, user: str = "postgres", password: str | None = None, **query: str) -> URL:
        return URL.create(
            "postgresql+psycopg",
            user,
            password,
            database="postgres",
            query={"host": str(self.folder), **query},
        )

    def new_url(self) -> URL:
        """URL of an empty schema, which takes milliseconds; a database would take megabytes."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return self.url(options=f"-csearch_path={name}")

    def execute(self, statement: str) -> None:
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def restart(self) -> None:
        """As after a crash: no connection is ended in order, and the server recovers from its log."""
        self._call("pg_ctl", "-D", "data", "-m", "immediate", "-w", "-l", "log", "restart")

    def stop(self) -> None:
        self._call("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def _call(self, program: str, *arguments: str) -> None:
        # Debian keeps the server's programs off the path.
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
        found = shutil.which(program) or next(iter(places), None)
        if found is None:
            raise IcefloeError(
                f"{program} is missing: PostgreSQL is to be started. Install it: apt-get install postgresql"
            )
        done = subprocess.run(
            [found, *arguments],
            cwd=self.folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            stdout=subprocess.DEVNULL,  # the server keeps it, so a pipe would never end
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            why = log.read_text(encoding="utf-8") if log.is_file() else "there is no log"
            raise IcefloeError(f"{program} failed; {why}")
