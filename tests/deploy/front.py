"""nginx with the site of docs/deploy, on free ports, with a certificate of its own."""

import asyncio
import os
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver

from tests.deploy.tools import DEPLOY, HOST, Started, free_port, run, tool, until

WRAPPED = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Here(AbstractResolver):
    """Every name is this machine."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET,
             "proto": 0, "flags": 0}
        ]  # fmt: skip

    async def close(self) -> None:
        pass


class Front:
    """One nginx.

    Parameters
    ----------
    folder : Path
    behind : int
        Port of the server.
    changed : mapping
        Texts of the site that are replaced, e.g. limits that a test reaches sooner.
    """

    def __init__(self, folder: Path, behind: int, changed: dict[str, str] | None = None) -> None:
        self.folder, self.tls, self.plain = folder, free_port(), free_port()
        self.nginx = tool("nginx")
        self.started: Started | None = None
        self._certify()
        site = (DEPLOY / "nginx.conf").read_text()
        site = re.sub(r"^ *listen \[::\].*\n", "", site, flags=re.MULTILINE)
        exchanged = {
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen 443": f"listen 127.0.0.1:{self.tls}",
            "server 127.0.0.1:8000": f"server 127.0.0.1:{behind}",
            f"/etc/ssl/{HOST}/fullchain.pem": str(folder / "cert.pem"),
            f"/etc/ssl/{HOST}/privkey.pem": str(folder / "key.pem"),
            "/var/log/nginx/opportunity.log": str(folder / "access.log"),
            **(changed or {}),
        }
        for old, new in exchanged.items():
            assert old in site, old
            site = site.replace(old, new)
        (folder / "site.conf").write_text(site)
        user = "user root;" if os.getuid() == 0 else ""
        (folder / "nginx.conf").write_text(WRAPPED.format(folder=folder, user=user))

    @property
    def url(self) -> str:
        """Where people reach it."""
        return f"https://{HOST}:{self.tls}"

    def check(self) -> subprocess.CompletedProcess:
        """Have nginx read the site."""
        return run(self.nginx, "-t", "-p", self.folder, "-c", self.folder / "nginx.conf")

    def start(self) -> "Front":
        """Start it and wait until it listens."""
        self.started = Started(
            self.folder, self.nginx, "-p", self.folder, "-c", self.folder / "nginx.conf"
        )

        def listens() -> bool:
            self.started.check()
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.tls), 1):
                return True
            return False

        until(listens, 20, "nginx does not listen")
        return self

    def stop(self) -> None:
        """End it."""
        if self.started is not None:
            self.started.stop()

    def trusting(self) -> ssl.SSLContext:
        """Return what a client needs to believe its certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "cert.pem"))

    @asynccontextmanager
    async def client(self, **more) -> AsyncIterator[aiohttp.ClientSession]:
        """Yield a client for which the name is this machine.

        Its lines are gone when it returns: TLS says goodbye after the session is closed.
        """
        made: list[socket.socket] = []

        def plug(address) -> socket.socket:
            made.append(socket.socket(*address[:3]))
            return made[-1]

        connector = aiohttp.TCPConnector(resolver=Here(), ssl=self.trusting(), socket_factory=plug)
        async with aiohttp.ClientSession(self.url, connector=connector, **more) as session:
            yield session
        gone = "a line was not closed"
        await asyncio.to_thread(until, lambda: all(o.fileno() < 0 for o in made), 30, gone)

    def raw(self) -> ssl.SSLSocket:
        """Return a bare connection to it."""
        line = socket.create_connection(("127.0.0.1", self.tls), 5)
        return self.trusting().wrap_socket(line, server_hostname=HOST)

    def _certify(self) -> None:
        done = run(
            tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
            "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", self.folder / "key.pem",
            "-out", self.folder / "cert.pem",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
