"""Which operation goes on from the answer of which: OpenAPI's links."""

from typing import Any, Final

_JOB: Final = "$response.body#/id"
_RUNNING: Final = (
    ("GET", "/api/backtest/jobs/{id}", {"id": _JOB}),
    ("DELETE", "/api/backtest/jobs/{id}", {"id": _JOB}),
    ("GET", "/api/backtest/results/{id}", {"id": _JOB}),
)
_NAMED: Final = "$request.body#/name"

LINKS: Final[dict[tuple[str, str], dict[int, tuple[tuple[str, str, dict[str, Any]], ...]]]] = {
    ("POST", "/api/backtest/run"): {
        202: _RUNNING,
        200: (
            ("GET", "/api/backtest/results/{id}", {"id": _JOB}),
            ("GET", "/api/backtest/export/{id}", {"id": _JOB}),
        ),
    },
    ("POST", "/api/backtest/sweep"): {202: _RUNNING},
    ("POST", "/api/price-alerts"): {201: (("DELETE", "/api/price-alerts/{id}", {"id": _JOB}),)},
    ("POST", "/api/shadows"): {
        200: (
            ("GET", "/api/shadows/{name}", {"name": _NAMED}),
            ("DELETE", "/api/shadows/{name}", {"name": _NAMED}),
        )
    },
    ("POST", "/api/config/weight-presets"): {
        200: (
            (
                "DELETE", "/api/config/weight-presets/{name}",
                {"name": "$response.body#/preset/name"},
            ),
        )
    },
    ("PUT", "/api/watchlists/{name}"): {
        200: (("DELETE", "/api/watchlists/{name}", {"name": "$request.path.name"}),)
    },
}  # fmt: skip
"""By method and path, then by status: method and path that follow, and where their places are."""
