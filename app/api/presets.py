"""Weights under a name: three built in, any number saved."""

import hashlib

import orjson

from app.api.base import BaseHandler
from app.api.etags import expected_version, tag_of
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.weights import settle
from app.auth.roles import Role
from app.presets import Preset
from opportunity.contracts.paths import NamePath
from opportunity.contracts.weights import (
    PresetBody,
    PresetDeleted,
    PresetQuery,
    PresetSaved,
    WeightConfig,
    WeightPreset,
    WeightPresetsResponse,
    WeightsBody,
    WeightValues,
)


def preset_of(preset: Preset) -> WeightPreset:
    """Return a preset as it travels."""
    return WeightPreset(
        name=preset.name, weights=WeightValues(**preset.weights), protected=preset.protected
    )


class _Presets(BaseHandler):
    """What both paths share: the version of all presets together."""

    def compute_etag(self) -> str | None:
        """Return the version of the presets as a strong tag."""
        return tag_of(self.version())

    def version(self) -> int:
        """Return a number that changes with any of them; nobody counts their changes."""
        plain = [(p.name, list(p.weights.values())) for p in self.services.controls.presets()]
        return int.from_bytes(hashlib.sha256(orjson.dumps(plain)).digest()[:6])

    def check_version(self) -> None:
        """Refuse a write that is based on older presets; 412."""
        expected_version(self.request.headers.get("If-Match"), self.version(), "presets")


class PresetsHandler(_Presets):
    """All presets."""

    @operation(Role.VIEWER, answer=WeightPresetsResponse, etag=True)
    def get(self) -> None:
        """Return the presets, built-in ones first; the ETag carries their version."""
        self.set_header("Cache-Control", "no-cache")
        self.send(
            WeightPresetsResponse(presets=[preset_of(p) for p in self.services.controls.presets()])
        )

    @operation(
        Role.TRADER, answer=PresetSaved, query=PresetQuery,
        body=(PresetBody, WeightConfig, WeightsBody), etag=True,
    )
    async def post(self) -> None:
        """Save or replace a preset: `?name=` with the nine weights, or both in the body."""
        query = self.query(PresetQuery)
        if query.name is None:
            named = self.body(PresetBody)
            name, config = named.name, named.weights
        else:
            name, config = query.name, self.body(WeightConfig)
        weights = settle(config, query.normalize)
        try:
            await self.services.controls.save_preset(
                name, weights, self.caller.name, self.check_version
            )
        except PermissionError as error:
            raise _protected(name) from error
        except ValueError as error:
            raise invalid("name", str(error)) from error
        self.set_header("Etag", tag_of(self.version()))
        saved = next(p for p in self.services.controls.presets() if p.name == name)
        self.send(PresetSaved(message=f"Preset {name!r} saved", preset=preset_of(saved)))


class PresetHandler(_Presets):
    """One saved preset."""

    @operation(Role.TRADER, answer=PresetDeleted, path=NamePath, etag=True)
    async def delete(self, name: str) -> None:
        """Delete a saved preset; the built-in ones stay."""
        name = self.places(NamePath).name
        try:
            await self.services.controls.delete_preset(
                name, self.caller.name, self.check_version
            )
        except PermissionError as error:
            raise _protected(name) from error
        except KeyError as error:
            raise ApiError(
                404, "unknown_preset", f"There is no preset {name!r}.", "name"
            ) from error
        self.set_header("Etag", tag_of(self.version()))
        self.send(PresetDeleted(message=f"Preset {name!r} deleted"))


def _protected(name: str) -> ApiError:
    return ApiError(
        400, "protected_preset", f"The preset {name!r} is built in and stays as it is.", "name"
    )


routes = [
    ("/api/config/weight-presets", PresetsHandler),
    ("/api/config/weight-presets/{name}", PresetHandler),
]
