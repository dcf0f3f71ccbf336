"""What follows an answer is there, and its places are those of the path."""

from app.api import resources
from app.api.operations import operations_of, places_of
from app.openapi.links import LINKS


def test_links_lead_from_a_declared_success_to_a_declared_method():
    known = {
        (method, path): made for path, handler in resources() for method, made in
        operations_of(handler)
    }  # fmt: skip
    for start, by_status in LINKS.items():
        assert set(by_status) <= set(known[start].successes), start
        for method, path, places in (one for ends in by_status.values() for one in ends):
            assert (method, path) in known
            assert tuple(places) == places_of(path)
