"""A real PostgreSQL for tests: the system's programs, a folder of its own, a free loopback port."""

import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

PASSWORD: Final = "not-to-be-shown"
_LIBC: Final = ctypes.CDLL(None)
START_S: Final = 30.0
SETTINGS: Final = (
    "listen_addresses=127.0.0.1", "max_connections=60", "shared_buffers=16MB",
    "logging_collector=off", "autovacuum=on", "timezone=UTC",
)


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL that is installed."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


@dataclass
class Server:
    """A PostgreSQL of our own."""

    folder: Path
    bin: Path
    settings: tuple[str, ...] = SETTINGS
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def make(self) -> None:
        """Make the cluster; the only user is `tester`, who needs the password."""
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.getuid() == 0:
            account = pwd.getpwnam(_user())
            for path in (self.folder, password):
                os.chown(path, account.pw_uid, account.pw_gid)
        self._run(
            "initdb", "-D", str(self.data), "-U", "tester", "-A", "scram-sha-256",
            "--pwfile", str(password), "-E", "UTF8", "--no-locale", "--no-sync",
        )
        self.port = _free_port()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = [f"port={self.port}", f"unix_socket_directories={self.folder}", *self.settings]
        flags = [part for option in options for part in ("-c", option)]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [str(self.bin / "postgres"), "-D", str(self.data), *flags],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            start_new_session=True, preexec_fn=_end_with_us, **_as_somebody(),
        )
        log.close()
        waited = 0
        while not self.ready():
            if self._process.poll() is not None or waited > START_S * 20:
                raise AssertionError((self.folder / "log").read_text()[-2_000:])
            waited += 1
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)

    def ready(self) -> bool:
        """Say whether a client is let in."""
        import psycopg  # not needed by most tests

        try:
            psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends every connection, SIGKILL is a crash."""
        if self._process is None:
            return
        if how == signal.SIGKILL:
            os.killpg(self._process.pid, how)
        else:
            os.kill(self._process.pid, how)
        self._process.wait(30)
        self._process = None

    def hold(self) -> None:
        """Let every process of it hang: connections are open and nothing answers."""
        self._each(signal.SIGSTOP)

    def release(self) -> None:
        """Undo `hold`."""
        self._each(signal.SIGCONT)

    def dsn(self, database: str) -> str:
        """Return the address as libpq writes it."""
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def database(self, like: str = "template1") -> str:
        """Make a database, empty or like another one that nobody uses; return its URL."""
        name = f"t{secrets.token_hex(6)}"
        self.tell(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return self.dsn(name)

    def drop(self, url: str) -> None:
        """Drop a database and end who uses it."""
        self.tell(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def tell(self, statement: str) -> None:
        """Run a statement as the owner of the cluster, outside of a transaction."""
        import psycopg

        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _each(self, what: signal.Signals) -> None:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        for pid in (self._process.pid, *map(int, children.split())):
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def _run(self, program: str, *args: str) -> None:
        done = subprocess.run(
            [str(self.bin / program), *args], check=False, capture_output=True, text=True,
            cwd=self.folder, **_as_somebody(),
        )
        assert done.returncode == 0, done.stderr


def _user() -> str:
    """Return who runs the server when we are root, whom PostgreSQL refuses."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_somebody() -> dict[str, int]:
    """Return what lets a program run as that user."""
    if os.getuid() != 0:
        return {}
    account = pwd.getpwnam(_user())
    return {"user": account.pw_uid, "group": account.pw_gid}


def _end_with_us() -> None:
    """Have the kernel stop the server when the tests are killed: nobody else would."""
    _LIBC.prctl(1, signal.SIGQUIT, 0, 0, 0)  # PR_SET_PDEATHSIG


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def made(folder: Path | None = None, settings: tuple[str, ...] = SETTINGS) -> Iterator[Server]:
    """Make a server, start it, stop it; skip where there is none, fail in CI."""
    found = programs()
    if found is None:
        why = "no PostgreSQL here (sh tests/postgres_install.sh)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    # Not in pytest's own folder: another user has to get there, and sockets have short names.
    place = folder or Path(tempfile.mkdtemp(prefix="pg-"))
    server = Server(place, found, settings)
    try:
        server.make()
        server.start()
        yield server
    finally:
        with suppress(ProcessLookupError, AssertionError):
            server.release()
        server.stop(signal.SIGQUIT)
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server for the whole session; do not stop it, others use it."""
    yield from made()


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """An empty database on it."""
    url = postgres.database()
    yield url
    postgres.drop(url)
