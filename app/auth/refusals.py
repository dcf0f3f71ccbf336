"""Why somebody is not let in."""

from opportunity.errors import OpportunityError


class LoginRefusedError(OpportunityError):
    """Raised when a password, token or link is not good; the text never says which part."""


class BusyError(OpportunityError):
    """Raised when too many logins are under way already."""

    @property
    def passing(self) -> bool:
        """In a second it may go well."""
        return True
