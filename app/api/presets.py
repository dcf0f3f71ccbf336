"""Weights under a name: three built in, any number saved."""

from app.api.base import BaseHandler, read_model
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.weights import settle
from app.auth.roles import Role
from app.presets import Preset
from opportunity.contracts.base import Query
from opportunity.contracts.weights import (
    PresetBody,
    PresetDeleted,
    PresetName,
    PresetQuery,
    PresetSaved,
    WeightConfig,
    WeightPreset,
    WeightPresetsResponse,
    WeightValues,
)


class _Path(Query):
    name: PresetName


def preset_of(preset: Preset) -> WeightPreset:
    """Return a preset as it travels."""
    return WeightPreset(
        name=preset.name, weights=WeightValues(**preset.weights), protected=preset.protected
    )


class PresetsHandler(BaseHandler):
    """All presets."""

    @operation(Role.VIEWER)
    def get(self) -> None:
        """Return the presets, built-in ones first."""
        self.send(
            WeightPresetsResponse(presets=[preset_of(p) for p in self.services.controls.presets()])
        )

    @operation(Role.TRADER)
    def post(self) -> None:
        """Save or replace a preset: `?name=` with the nine weights, or both in the body."""
        query = self.query(PresetQuery)
        if query.name is None:
            named = self.body(PresetBody)
            name, config = named.name, named.weights
        else:
            name, config = query.name, self.body(WeightConfig)
        weights = settle(config, query.normalize)
        try:
            self.services.controls.save_preset(name, weights)
        except PermissionError as error:
            raise _protected(name) from error
        except ValueError as error:
            raise invalid("name", str(error)) from error
        saved = next(p for p in self.services.controls.presets() if p.name == name)
        self.send(PresetSaved(message=f"Preset {name!r} saved", preset=preset_of(saved)))


class PresetHandler(BaseHandler):
    """One saved preset."""

    @operation(Role.TRADER)
    def delete(self, name: str) -> None:
        """Delete a saved preset; the built-in ones stay."""
        name = read_model(_Path, {"name": name}).name
        try:
            self.services.controls.delete_preset(name)
        except PermissionError as error:
            raise _protected(name) from error
        except KeyError as error:
            raise ApiError(
                404, "unknown_preset", f"There is no preset {name!r}.", "name"
            ) from error
        self.send(PresetDeleted(message=f"Preset {name!r} deleted"))


def _protected(name: str) -> ApiError:
    return ApiError(
        400, "protected_preset", f"The preset {name!r} is built in and stays as it is.", "name"
    )


routes = [
    ("/api/config/weight-presets", PresetsHandler),
    ("/api/config/weight-presets/{name}", PresetHandler),
]
