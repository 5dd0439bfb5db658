"""Between a point in a module's search space and a patch: what a sampler names, and what a person would read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ablations.patch import Change, Patch, Scalar
from ablations.paths import PatchError
from modules.registry import RegistryError, validate_settings
from supervisor.bounds import Bound, Option
from supervisor.finding import Finding
from supervisor.proposers.port import Desk

MOST_AXES = 8
"""Settings that one search moves; those that the findings name come first."""

Point = dict[str, Scalar]
"""Setting to value."""


@dataclass(frozen=True)
class Space:
    """What may be moved in one module, and where it stands."""

    module: str
    in_force: Mapping[str, JsonValue]
    bounds: Mapping[str, Bound]
    options: Mapping[str, tuple[Option, ...]]

    @classmethod
    def of(cls, module: str, findings: Sequence[Finding], desk: Desk) -> Space:
        """The axes of a search: settings that findings name before the others, MOST_AXES of them at most."""
        named = [lever.setting for finding in findings for lever in finding.levers]
        bounds, options = desk.space(module), desk.choices(module)
        in_force = desk.settings(module)
        rest = sorted(n for n in (*bounds, *options) if in_force.get(n) is not None)
        chosen = [n for n in dict.fromkeys((*named, *rest)) if n in rest][:MOST_AXES]
        return cls(
            module,
            in_force,
            {n: bounds[n] for n in chosen if n in bounds},
            {n: options[n] for n in chosen if n in options},
        )

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of what may be moved."""
        return (*self.bounds, *self.options)

    @property
    def here(self) -> Point:
        """The values in force; those outside their bounds are brought inside."""
        return self.inside({name: _scalar(self.in_force[name]) for name in self.axes})

    def inside(self, values: Mapping[str, object]) -> Point:
        """`values` on every axis, tidy and within bounds; where there is none or it does not fit, the one in force."""
        point: Point = {}
        for name, bound in self.bounds.items():
            value = values.get(name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            point[name] = bound.tidy(value) if number else _scalar(self.in_force[name])  # type: ignore[arg-type]
        for name, options in self.options.items():
            listed = [option for option in options if option == values.get(name)]
            point[name] = listed[0] if listed else _scalar(self.in_force[name])
        return point

    def patch(self, point: Point) -> Patch | None:
        """The patch that goes there; None where it changes nothing, or the settings do not go with one another."""
        moved = {n: v for n, v in point.items() if v != _scalar(self.in_force[n])}
        stage, _, name = self.module.partition("/")
        try:
            validate_settings(stage, name, {**self.in_force, **moved})
            changes = {n: Change(old=_scalar(self.in_force[n]), new=v) for n, v in moved.items()}
            return Patch(module=self.module, changes=changes) if changes else None
        except (RegistryError, PatchError, ValueError):
            return None

    def without(self, patch: Patch, setting: str) -> Patch | None:
        """`patch` with one of its settings left as it is."""
        values = {name: change.new for name, change in patch.changes.items() if name != setting}
        return self.patch(self.inside({**self.here, **values})) if values else None


def _scalar(value: JsonValue) -> Scalar:
    assert value is None or isinstance(value, str | int | float), "an axis is a number, a text, or yes or no"
    return value
