
from pathlib import Path

from looking import until
from runbook.transcript import Command, agrees, commands_of, run

DOC = """
text
```console
$ echo one
one
$ echo \\
    two \\
    three
$ cd ..
```
```json
$ not this
```
"""


def test_commands_are_read_with_what_is_shown() -> None:
    first, second, third = commands_of(DOC)
    assert (first.text, first.shown, third.text) == ("echo one", "one\n", "cd ..")
    assert second.text == "echo \\\n    two \\\n    three"


def ended(pid: str) -> bool:
    """Tell whether a process is gone, or waits for nothing but its parent."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b""
    except OSError:
        return True


def test_one_shell_from_top_to_bottom_and_no_further_than_a_failure(tmp_path) -> None:
    commands = [Command(text, "") for text in
                ("x=5", 'echo "$x"', "sleep 600 & echo $!", "false", "echo never")]  # fmt: skip
    run(commands, tmp_path, [], {}, 20)
    until(lambda: ended(commands[2].output))  # what goes on in the background
    assert [one.code for one in commands] == [0, 0, 0, 1, None]
    assert commands[1].output == "5"


def test_a_command_that_hangs_is_ended(tmp_path) -> None:
    commands = [Command("echo a; sleep 60", ""), Command("echo never", "")]
    run(commands, tmp_path, [], {}, 1)
    assert [one.code for one in commands] == [None, None]


def test_what_is_shown_must_come() -> None:
    assert agrees({"a": 1, "b": {"c": "x"}}, {"b": {"c": "y"}}) == ""
    assert agrees({"a": 1.5}, {"a": 2}) == agrees({"a": None}, {"a": 2}) == ""
    assert agrees({}, {"a": 2}) == ".a is missing"
    assert agrees({"a": True}, {"a": 2}) == ".a is True"
    assert agrees({"status": 401}, {"status": 200}) == ".status is 401, not 200"
    assert agrees([], {"a": 1}) == " is no object"
