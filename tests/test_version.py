import importlib.metadata

import opportunity
from opportunity.version import version


def test_version_is_that_of_the_installed_package():
    assert version() == importlib.metadata.version("opportunity") == opportunity.__version__


def test_a_source_tree_that_was_never_installed_says_so(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert version() == "0+unknown"
