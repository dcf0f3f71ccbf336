"""Runs the commands of a document as somebody would type them: one shell, from top to bottom."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARK: Final = "@@ {}"
CODE: Final = re.compile(r"\n@= (\d+)\n")
EXACT: Final = frozenset({
    "status", "code", "enabled", "position_size", "position_value", "stop_loss", "sum", "name",
    "scan_interval_ms", "subscribed_symbols", "data_source", "source", "symbols_scanned",
})  # fmt: skip
"""Fields whose value in the document is the one that comes; of others only the kind is."""


@dataclass
class Command:
    """One command of a document, what is shown below it, and what it came to.

    `code` is None for a command that was not reached.
    """

    text: str
    shown: str
    output: str = ""
    code: int | None = field(default=None)

    def json(self) -> Any:
        """Return the output as JSON."""
        return json.loads(self.output)


def commands_of(text: str) -> list[Command]:
    """Return the commands of all `console` blocks; each begins with a `$`."""
    found: list[Command] = []
    for block in BLOCK.findall(text):
        going_on = False
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:], ""))
            elif going_on:
                found[-1].text += "\n" + line
            else:
                found[-1].shown += line + "\n"
            going_on = found[-1].text.endswith("\\") and not found[-1].shown
    return found


def run(
    commands: list[Command], folder: Path, tools: list[Path], more: Mapping[str, str],
    timeout_s: float,
) -> str:
    """Run commands in one shell; note output and exit code of each; return its standard error.

    It ends at the first command that fails. Whatever they started is ended with it.

    Parameters
    ----------
    commands : list of Command
    folder : Path
        Where the shell begins, and whose `home` the data folder is.
    tools : list of Path
        Folders of programs, looked at before those of the system.
    more : mapping
        Further variables of the environment.
    timeout_s : float
    """
    script = ["set -u"]
    for i, command in enumerate(commands):
        script += [f"printf '\\n{MARK.format(i)}\\n'", command.text, "code=$?",
                   "printf '\\n@= %d\\n' $code", "[ $code = 0 ] || exit 1"]  # fmt: skip
    path = ":".join([*map(str, tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    told = {"PATH": path, "HOME": str(folder), "OPPORTUNITY_HOME": str(folder / "home")}
    # Files, not pipes: what goes on in the background would hold a pipe open.
    out, errors = folder / "shell.out", folder / "shell.err"
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        shell = subprocess.Popen(
            ["bash", "-c", "\n".join(script)], cwd=folder, env={**os.environ, **told, **more},
            stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, start_new_session=True,
        )
        assert shell.stdin is not None  # stays open, as a terminal does: wscat ends without it
        try:
            shell.wait(timeout_s)
        except subprocess.TimeoutExpired:
            errors.write_text(f"not done after {timeout_s} s")
        finally:
            _end(shell.pid)
            shell.wait()
            shell.stdin.close()
    _note(commands, out.read_text())
    return errors.read_text()


def _note(commands: list[Command], out: str) -> None:
    for i, command in enumerate(commands):
        _, _, after = out.partition(f"\n{MARK.format(i)}\n")
        ended = CODE.search(after)
        if ended:
            command.output, command.code = after[: ended.start()].strip(), int(ended[1])
        elif after:
            command.output = after


def agrees(found: Any, shown: Any, place: str = "") -> str:
    """Return what a document shows that did not come; '' where all came."""
    if isinstance(shown, dict):
        if not isinstance(found, dict):
            return f"{place} is no object"
        for name, value in shown.items():
            if name not in found:
                return f"{place}.{name} is missing"
            if name in EXACT and not isinstance(value, dict):
                if found[name] != value:
                    return f"{place}.{name} is {found[name]!r}, not {value!r}"
            elif told := agrees(found[name], value, f"{place}.{name}"):
                return told
        return ""
    if shown is None or found is None:
        return ""
    number = isinstance(shown, int | float) and isinstance(found, int | float)
    alike = number and isinstance(shown, bool) == isinstance(found, bool)
    return "" if alike or type(found) is type(shown) else f"{place} is {found!r}"


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
