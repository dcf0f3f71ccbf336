"""The data folder, the disk, and the port to listen on."""

import os
import shutil
import socket
from pathlib import Path
from typing import Final

from app.doctor.check import Check
from opportunity.config import Settings

LEAST_FREE: Final = 100 << 20
LOW_FREE: Final = 1 << 30
"""Free bytes under which the database may stop, and under which that is near."""


def check_folder(home: Path) -> Check:
    """Check that the data folder can be written; it is not made."""
    there = _existing(home)
    if not there.is_dir():
        return Check("data folder", "FAIL", f"{there} is no folder", "give another with --home")
    advice = "give yourself the right to write there, or another folder with --home"
    if there != home:
        if os.access(there, os.W_OK | os.X_OK):
            return Check("data folder", "OK", f"{home}, made on the first start")
        return Check("data folder", "FAIL", f"{home} cannot be made in {there}", advice)
    probe = home / f".doctor.{os.getpid()}"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        return Check("data folder", "FAIL", f"{home} cannot be written ({error.strerror})", advice)
    return Check("data folder", "OK", f"{home}, writable")


def check_disk(home: Path) -> Check:
    """Check that there is room on the disk of the data folder."""
    try:
        free = shutil.disk_usage(_existing(home)).free
    except OSError as error:
        return Check("disk", "FAIL", f"{home} cannot be looked at ({error.strerror})")
    text = f"{free / (1 << 30):,.1f} GiB free"
    if free < LEAST_FREE:
        return Check("disk", "FAIL", text, "make room: nothing can be kept")
    if free < LOW_FREE:
        return Check("disk", "WARN", text, "make room: a year of minutes takes 15 MB a symbol")
    return Check("disk", "OK", text)


def check_port(settings: Settings) -> Check:
    """Check that the port to listen on is free."""
    if settings.port == 0:
        return Check("port", "OK", "any free one")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((settings.host, settings.port))
    except OSError as error:
        reason = error.strerror or str(error)
        return Check(
            "port", "WARN", f"{settings.port} on {settings.host} is not free ({reason})",
            "fine if the agent runs already; else `opportunity serve --port N`",
        )
    return Check("port", "OK", f"{settings.port} on {settings.host} is free")


def _existing(path: Path) -> Path:
    """Return the path or its nearest parent that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path
