"""Packages that only research needs; whoever has not installed them is told how."""

from importlib import import_module

from opportunity.errors import OpportunityError


class ExtraError(OpportunityError):
    """Raised when a package of the extra `research` is not installed."""


def needed(*modules: str) -> None:
    """Import modules.

    Raises
    ------
    ExtraError
        If one is not installed.
    """
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            raise ExtraError(
                f"{module} must be installed for this, is not: pip install 'opportunity[research]'"
            ) from error
