"""A programme as it stands on a tape, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from modules.canonical import canonical_json
from modules.contract import STAGES, Module, Stage
from modules.engine.settings import TradingSettings
from modules.live.runner.decide import DecideError, Programme
from modules.live.runner.taped import Began, StageInForce
from modules.registry import load_module, validate_settings


def stages_in_force(programme: Programme) -> dict[str, StageInForce]:
    """Every module of a programme, for the tape."""
    return {
        stage: StageInForce(m.name, canonical_json(m.settings.model_dump(mode="json")), m.code_digest)
        for stage, m in programme.modules.items()
    }


InForce = Mapping[str, Mapping[str, object]]
"""Settings by stage."""


def in_force(began: Began) -> dict[str, dict[str, object]]:
    """Settings that this checkout has in force for the modules of a tape."""
    return {
        stage: load_module(_stage(stage), said.module).settings.model_dump(mode="json")
        for stage, said in began.stages.items()
    }


def programme_of(began: Began, base: InForce | None = None) -> Programme:
    """The programme of a tape, with the code of this checkout and the recorded settings.

    base: settings that were in force where the day was traded; what this checkout has in force otherwise is a change
    that it brings, and replaces what was recorded. Raises RegistryError where a module is gone or no longer takes the
    settings.
    """
    modules: dict[Stage, Module] = {}
    for stage in STAGES:
        said = began.stages[stage]
        module = load_module(stage, said.module)
        own = module.settings.model_dump(mode="json")
        merged = {**own, **json.loads(said.settings)}
        if base is not None:
            merged |= {name: value for name, value in own.items() if base[stage].get(name) != value}
        modules[stage] = dataclasses.replace(module, settings=validate_settings(stage, said.module, merged))
    return Programme(began.strategy, modules, began.start_ns, began.seed, began.chosen)


def edited(began: Began, programme: Programme) -> tuple[str, ...]:
    """Stages whose code is another than the tape's."""
    return tuple(s for s, said in began.stages.items() if programme.modules[_stage(s)].code_digest != said.code_digest)


def trading_of(programme: Programme) -> TradingSettings:
    """The settings of the execute stage. Raises DecideError where it trades by other ones."""
    settings = programme.modules["execute"].settings
    if not isinstance(settings, TradingSettings):
        name = programme.modules["execute"].name
        raise DecideError(f"execute/{name} has no trading settings; only modules that trade bars can be run live")
    return settings


def _stage(name: str) -> Stage:
    return next(stage for stage in STAGES if stage == name)
