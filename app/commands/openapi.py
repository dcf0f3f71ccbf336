"""`opportunity openapi`: what the API is, for programs that are written against it."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from app.commands.arguments import DONE, file

NAME: Final = "openapi"
EPILOG: Final = """examples:
  opportunity openapi > openapi.json
  opportunity openapi --typescript --out api.ts
  opportunity openapi --asyncapi --out asyncapi.json
  opportunity openapi --docs docs/api.md      (the table of routes in it made anew)

A running server gives the same at /api/openapi.json and /api/asyncapi.json, and shows it at
/api/docs.

exit codes: 0 done, 1 not written, 2 bad usage
"""


def add(subparsers: Any) -> None:
    """Register the verb."""
    parser = subparsers.add_parser(
        NAME, help="print the API as OpenAPI, AsyncAPI or TypeScript", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Print what the API is: made of the contracts that the server holds itself to.",
    )  # fmt: skip
    kinds = parser.add_mutually_exclusive_group()
    option = kinds.add_argument
    option("--json", action="store_true", help="the OpenAPI 3.1 document of REST (the default)")
    option("--asyncapi", action="store_true", help="the AsyncAPI 3.0 document of the stream")
    option("--typescript", action="store_true", help="TypeScript types of both")
    option("--docs", type=file, metavar="FILE",
           help="write the table of routes and roles between the markers of a Markdown file")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write there, not to the terminal")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print or write what is asked for, and return the exit code."""
    if args.docs is not None:
        from app.openapi.table import put_in

        args.docs.write_text(put_in(args.docs.read_text()))
        return DONE
    text = _text(args)
    if args.out is None:
        sys.stdout.write(text)
    else:
        args.out.write_text(text)
    return DONE


def _text(args: argparse.Namespace) -> str:
    if args.typescript:
        from app.openapi.typescript import typescript

        return typescript()
    if args.asyncapi:
        from app.openapi.asyncapi import asyncapi_bytes

        return asyncapi_bytes().decode() + "\n"
    from app.openapi.document import document_bytes

    return document_bytes().decode() + "\n"
