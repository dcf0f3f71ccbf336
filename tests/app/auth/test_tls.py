"""TLS of our own server."""

import ssl

import pytest

from app.auth.tls import tls_context
from opportunity.config import Settings, SettingsError


def test_without_a_certificate_there_is_no_tls():
    assert tls_context(Settings()) is None


def test_old_versions_are_not_spoken(certificate):
    cert, key = certificate
    context = tls_context(Settings(tls_cert=cert, tls_key=key))
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_what_cannot_be_used_is_refused_at_the_start(certificate, tmp_path):
    cert, key = certificate
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for given in (
        {"tls_cert": cert}, {"tls_key": key}, {"tls_cert": cert, "tls_key": tmp_path / "none"},
        {"tls_cert": broken, "tls_key": key}, {"tls_cert": key, "tls_key": cert},
    ):  # fmt: skip
        with pytest.raises(SettingsError, match="tls_cert and tls_key must be"):
            tls_context(Settings(**given))
