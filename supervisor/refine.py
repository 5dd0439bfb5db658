"""Look between the steps: the best candidate of one setting is moved towards its neighbours, on mining data alone.

Steps towards a bound are coarse, and what a setting is worth bends: of a signal averaged over 40 bars almost nothing
comes back at 12, and most at 3. Each round halves the two gaps around the best value that was looked at, by ratio
where the gap spans `RATIO` or more. Where the best breaks a guard, the halves lie between it and what breaks none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

from ablations.patch import Change, Patch
from ablations.paths import PatchError
from modules.contract import STAGES
from modules.registry import RegistryError, read_settings, settings_model, validate_settings
from supervisor.bounds import Bound, search_space
from supervisor.screen import Screened, ranked

ROUNDS = 3
"""Each costs two looks at most."""

RATIO = 4.0
"""High over low from which on the middle of a gap is the geometric one."""


def refined(
    compared: Sequence[Screened],
    tried: Sequence[Patch],
    compare: Callable[[Sequence[Patch]], Sequence[Screened]],
    is_judged: Callable[[Patch], bool],
) -> list[Screened]:
    """`compared` and what `compare` finds between its best and that one's neighbours, the best first.

    `tried`: candidates whose values count as looked at, whatever was found; `is_judged` keeps a patch that has its
    verdict from being offered again. Ends when `compare` finds nothing more, for want of time or of effect.
    """
    found = list(compared)
    pivot = _pivot(found)
    if pivot is None:
        return found
    setting = next(iter(pivot.patch.changes))
    bound = _bound(pivot.patch.module, setting)
    if bound is None:
        return found
    base = _number(pivot.patch.changes[setting].old)
    values = {base, *(_number(p.changes[setting].new) for p in tried if set(p.changes) == {setting})}
    for _ in range(ROUNDS):
        fresh = [v for v in _halves(bound, _number(pivot.patch.changes[setting].new), values) if v not in values]
        values.update(fresh)
        patches = [p for v in fresh if (p := _moved(pivot.patch, setting, v)) is not None and not is_judged(p)]
        looks = compare(patches) if patches else ()
        if not looks:
            break
        found = ranked([*found, *looks])
        pivot = _pivot([s for s in found if set(s.patch.changes) == {setting}]) or pivot
    return found


def _pivot(found: Sequence[Screened]) -> Screened | None:
    """What is worth a closer look: the best that holds, else the best gain that a guard forbids. One number, moved."""
    single = [s for s in found if len(s.patch.changes) == 1 and not s.patch.texts and s.lower_bound > 0.0]
    numeric = [s for s in single if isinstance(next(iter(s.patch.changes.values())).new, int | float)]
    return max(numeric, key=lambda s: (s.promising, s.lower_bound), default=None)


def _bound(module: str, setting: str) -> Bound | None:
    stage, _, name = module.partition("/")
    return search_space(settings_model(stage, name).model_json_schema()).get(setting) if stage in STAGES else None


def _halves(bound: Bound, at: float, values: set[float]) -> list[float]:
    """The middles of the gaps on both sides of `at`."""
    below = max((v for v in values if v < at), default=None)
    above = min((v for v in values if v > at), default=None)
    return [bound.tidy(_middle(at, other)) for other in (below, above) if other is not None]


def _middle(one: float, other: float) -> float:
    low, high = min(one, other), max(one, other)
    return sqrt(low * high) if low > 0.0 and high / low >= RATIO else (low + high) / 2.0


def _moved(patch: Patch, setting: str, value: float) -> Patch | None:
    """The patch with another value; None where it does not go with the other settings."""
    stage, _, name = patch.module.partition("/")
    try:
        validate_settings(stage, name, {**read_settings(stage, name).model_dump(mode="json"), setting: value})
        return Patch(module=patch.module, changes={setting: Change(old=patch.changes[setting].old, new=value)})
    except (RegistryError, PatchError, ValueError):
        return None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
