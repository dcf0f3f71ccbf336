"""Verbs of the command line; each module has `add(subparsers)` and `run(args) -> exit code`."""
