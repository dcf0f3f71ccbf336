"""TLS of our own server, for where no proxy does it."""

import ssl

from opportunity.config import Settings, SettingsError


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the context of a certificate and its key; None where none is set.

    Raises
    ------
    SettingsError
        If only one of them is set, or they cannot be read or do not fit.
    """
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise SettingsError("tls_cert and tls_key must be given together, one was missing")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"tls_cert and tls_key must be a certificate and its key, without password, in PEM "
            f"({error.__class__.__name__})"
        ) from None
    return context
