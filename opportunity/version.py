"""The version of this package, for what is kept and compared later."""


def version() -> str:
    """Return the installed version; ``0+unknown`` from a source tree that was never installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("opportunity")
    except PackageNotFoundError:
        return "0+unknown"
