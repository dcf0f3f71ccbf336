"""The shared weights: read with a version, written whole or not at all."""

import math
import re
from typing import Final

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError
from app.auth.roles import Role
from app.presets import SUM_TOLERANCE
from opportunity.contracts.weights import (
    NormalizeQuery,
    WeightConfig,
    WeightsAnswer,
    WeightsBody,
    WeightValues,
)
from opportunity.errors import ConflictError

EXACT: Final = 1e-9
"""A sum this near to 1 is stored as sent: dividing would only add rounding."""

_TAGS: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*(?:,|$)')


def settle(config: WeightConfig, normalize: bool) -> dict[str, float]:
    """Return weights that sum to 1.

    Parameters
    ----------
    config : WeightConfig
        Nine numbers in [0, 1].
    normalize : bool
        Scale any sum above 0 to 1; otherwise it may be off by `SUM_TOLERANCE` at most.

    Raises
    ------
    ApiError
        400 with the sum and the scaled vector.
    """
    weights = config.as_dict()
    total = math.fsum(weights.values())
    if total <= 0:
        raise ApiError(400, "weights_sum", "weights must not all be 0", "weights", sum=total)
    if abs(total - 1) <= EXACT:
        return weights
    scaled = {name: weight / total for name, weight in weights.items()}
    if not normalize and abs(total - 1) > SUM_TOLERANCE:
        raise ApiError(
            400, "weights_sum",
            f"weights must sum to 1 within {SUM_TOLERANCE}, was {total:.6g}; "
            "?normalize=true scales them",
            "weights", sum=total, normalized=scaled,
        )
    return scaled


class WeightsHandler(BaseHandler):
    """The weights that everybody's ranking uses."""

    def compute_etag(self) -> str | None:
        """Return the version of the weights as a strong tag."""
        return f'"{self.services.controls.weights_version}"'

    @operation(Role.VIEWER, answer=WeightValues, etag=True)
    def get(self) -> None:
        """Return the nine weights; the ETag carries their version."""
        self.set_header("Cache-Control", "no-cache")
        self.send(WeightValues(**self.services.weights.as_dict()))

    @operation(
        Role.TRADER, answer=WeightsAnswer, query=NormalizeQuery,
        body=(WeightConfig, WeightsBody), etag=True,
    )
    async def put(self) -> None:
        """Replace all nine weights at once; with If-Match only if nobody was quicker."""
        weights = settle(self.body(WeightConfig), self.query(NormalizeQuery).normalize)
        expected = self._expected()
        try:
            version = await self.services.controls.apply_weights(
                weights, by=self.caller.name, expected=expected
            )
        except ConflictError as error:
            raise self._stale() from error
        self.set_header("Etag", f'"{version}"')
        self.send(
            WeightsAnswer(weights=WeightValues(**self.services.weights.as_dict()), version=version)
        )

    def _expected(self) -> int | None:
        header = self.request.headers.get("If-Match")
        if header is None or header.strip() == "*":
            return None
        if not re.fullmatch(rf"(?:{_TAGS.pattern})+", header):
            raise ApiError(400, "bad_etag", "If-Match must be ETags in double quotes or *.")
        tags = [tag.strip().rstrip(",").strip() for tag in _TAGS.findall(header)]
        if self.compute_etag() not in tags:  # weak tags never match: If-Match compares strongly
            raise self._stale()
        return self.services.controls.weights_version

    def _stale(self) -> ApiError:
        return ApiError(
            412, "stale", "The weights have changed since; read them again.",
            headers={"Etag": f'"{self.services.controls.weights_version}"'},
        )


routes = [("/api/config/weights", WeightsHandler)]
