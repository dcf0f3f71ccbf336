"""What operations share has a name, a meaning and the shape of problems."""

from app.openapi.parts import HEADERS, PROBLEMS, RESPONSES, problem_name


def test_every_problem_has_a_response_of_its_own():
    names = [name for name, _ in PROBLEMS.values()]
    assert len(set(names)) == len(names)
    for status in PROBLEMS:
        found = RESPONSES[problem_name(status)]
        assert list(found["content"]) == ["application/problem+json"]
        assert {ref["$ref"].rpartition("/")[2] for ref in found["headers"].values()} <= set(HEADERS)


def test_waiting_is_told_where_it_helps():
    for status in (429, 503):
        assert "Retry-After" in RESPONSES[problem_name(status)]["headers"]
    assert "WWW-Authenticate" in RESPONSES["Unauthorized"]["headers"]
