"""Accounts by a clock that is set by hand."""

import shutil
import subprocess

import pytest
import pytest_asyncio
from guarded import guarded
from logins import Watch, accounts_at


@pytest.fixture
def clock():
    return Watch()


@pytest.fixture
async def accounts(tmp_path, clock):
    """Accounts of nobody yet."""
    made = accounts_at(tmp_path, clock)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for this machine, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed_site(tmp_path_factory):
    """A site where everybody must log in, for all tests of a file."""
    async with guarded(tmp_path_factory.mktemp("closed")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_site(tmp_path_factory):
    """A site on loopback where nobody must, for all tests of a file."""
    async with guarded(tmp_path_factory.mktemp("open"), auth=False) as made:
        yield made


@pytest.fixture
def closed(closed_site):
    """The closed site, with limits that nobody has used."""
    return closed_site.fresh()


@pytest_asyncio.fixture(loop_scope="module")
async def browser(closed):
    """Somebody who has not logged in."""
    async with closed.browser() as made:
        yield made
