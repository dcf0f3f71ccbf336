import pytest

from app.api.etags import expected_version, stale, tag_of
from app.api.problems import ApiError


@pytest.mark.parametrize(("tag", "version"), [(None, None), ("*", None), ('"7"', 7),
                                              ('"5", "7"', 7)])  # fmt: skip
def test_what_a_write_starts_from(tag, version):
    assert expected_version(tag, 7, "limits") == version


@pytest.mark.parametrize(("tag", "status"), [('"6"', 412), ('W/"7"', 412), ("7", 400), ("", 400)])
def test_stale_and_malformed_tags_are_refused(tag, status):
    with pytest.raises(ApiError) as caught:
        expected_version(tag, 7, "limits")
    assert caught.value.status_code == status


def test_a_stale_answer_carries_the_newest_tag():
    problem = stale(7, "limits")
    assert problem.headers == {"Etag": tag_of(7)}
    assert problem.detail == "The limits have changed since; read them again."
