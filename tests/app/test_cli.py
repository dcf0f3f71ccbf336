import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import app.commands
from app.cli import VERBS, build_parser, main
from opportunity import __version__
from opportunity.errors import CoverageError

ROOT = Path(__file__).parents[2]


def run(*args: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *args], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def leave(capsys, *args: str) -> tuple[int, str, str]:
    """Call `main` where argparse ends the program."""
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_help_lists_every_verb_with_a_line(capsys) -> None:
    code, out, _ = leave(capsys, "--help")
    assert code == 0
    for verb in VERBS:
        assert re.search(rf"^ +{verb} +\S+", out, re.MULTILINE), verb


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(capsys, verb) -> None:
    code, out, err = leave(capsys, verb, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: opportunity {verb}")
    parser = build_parser()._subparsers._group_actions[0].choices[verb]
    assert parser.description
    for action in parser._actions:
        if action.option_strings and action.dest not in ("help", "log_level"):
            assert action.help, f"{verb} {action.option_strings}"


def test_every_module_of_commands_is_a_verb() -> None:
    folder = Path(app.commands.__file__).parent
    modules = {p.stem for p in folder.glob("*.py")} - {"__init__", "arguments"}
    assert modules == set(VERBS)


def test_version_is_that_of_the_project(capsys) -> None:
    assert leave(capsys, "--version") == (0, f"{__version__}\n", "")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert project["scripts"] == {"opportunity": "app.cli:main"}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "required: VERB"),
        (("trade",), "invalid choice: 'trade'"),
        (("serve", "--nonsense"), "unrecognized arguments"),
        (("--port", "1"), "invalid choice: '1'"),
    ],
)
def test_bad_usage_is_code_two(capsys, args, words) -> None:
    code, out, err = leave(capsys, *args)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("usage: opportunity")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CoverageError("no bars of 1h"), "no bars of 1h"),
        (ValueError("weight must be >= 0, was -1"), "weight must be >= 0, was -1"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (PermissionError(13, "Permission denied", "x"), "[Errno 13] Permission denied: 'x'"),
    ],
)
def test_what_goes_wrong_is_one_line_and_code_one(capsys, monkeypatch, error, text) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr("app.commands.warm.run", fail)
    assert main(["warm"]) == 1
    assert capsys.readouterr().err == f"opportunity warm: {text}\n"


def test_fault_of_ours_is_not_hidden(monkeypatch) -> None:
    def fail(_: object) -> int:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("app.commands.warm.run", fail)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        main(["warm"])


def test_interrupt_is_code_130(monkeypatch) -> None:
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.commands.warm.run", interrupt)
    assert main(["warm"]) == 130


def test_code_of_the_verb_is_the_code_of_the_program(monkeypatch) -> None:
    monkeypatch.setattr("app.commands.warm.run", lambda _: 0)
    assert main(["warm"]) == 0


def test_process_ends_with_the_code() -> None:
    assert run("--version") == (0, f"{__version__}\n", "")
    assert run("nonsense")[0] == 2


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom app.cli import build_parser\nbuild_parser()\n"
        "print([m for m in ('numpy', 'pandas', 'numba', 'panel', 'tornado', 'sqlalchemy')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
