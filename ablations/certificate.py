"""The A/A certificate: how often the gate ships what is known to be worthless, and what it can see.

At least 200 worthless patches and a ladder of planted improvements go through the same `measure` and `decide` as
any patch, on the suite's own data. Guards are taken to hold and the certificate to stand, which can only raise
the rate of shipping. Current only for the gate code, suite and data it was made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from ablations.floor import Series
from ablations.gate import Reason, decide
from ablations.guards import GuardReading
from ablations.record import CertificateReference, weigh
from ablations.trials import first_level
from ablations.worthless import KINDS, Kind, Material, planted, worthless
from modules.canonical import canonical_json, digest_bytes, digest_json, digest_mapping
from modules.workspace import CHECKOUT

PER_KIND: dict[Kind, int] = {
    "identical": 20,
    "relabelled": 20,
    "leverage": 20,
    "swapped": 100,
    "noise": 60,
    "mined": 40,
}
FEWEST_PATCHES = 200
MOST_FALSE_SHIPS = 0.05
"""Upper bound of the false-ship rate above which a certificate does not stand."""

CONFIDENCE = 0.95
SINGLE_LEVEL = 0.05
"""Nominal level of one test alone, to compare the rate with."""

POWER = 0.8
SIZES = (0.1, 0.2, 0.4, 0.8, 1.6)
TRIES = 20
SEED = 20_061_002

COMMITTED = CHECKOUT / "ablations" / "records" / "certificates"
GATE_CODE = (
    "arms",
    "bootstrap",
    "certificate",
    "floor",
    "gate",
    "guards",
    "material",
    "record",
    "series",
    "trials",
    "worthless",
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class KindResult(_Part):
    """One kind of worthless patch: shipped at the first trial's level, and rejected at 5 % as if alone."""

    kind: Kind
    patches: int
    false_ships: int
    single_test: int


class PowerPoint(_Part):
    """Planted improvements of one size (Sharpe a year, every task)."""

    size: float
    tries: int
    ships: int


class Certificate(_Part):
    """What the gate is worth. Bounds are one-sided, 95 %, Clopper and Pearson (1934)."""

    gate_digest: str
    suite: str
    suite_digest: str
    data: str
    data_digest: str
    level: float
    patches: int
    false_ships: int
    upper_bound: float
    single_level: float
    single_tested: int
    single_false: int
    single_upper_bound: float
    kinds: tuple[KindResult, ...]
    power: tuple[PowerPoint, ...]
    minimum_detectable: float | None
    """Smallest planted size shipped with 80 % probability, interpolated; null: larger than any that was tried."""
    seed: int

    @property
    def certificate_id(self) -> str:
        """16 hex digits over all of it."""
        return digest_json(self.model_dump(mode="json"))[:16]

    @property
    def stands(self) -> bool:
        """Whether enough patches were tried and few enough shipped."""
        return self.patches >= FEWEST_PATCHES and self.upper_bound <= MOST_FALSE_SHIPS


class Keys(NamedTuple):
    """What a certificate must match to be current."""

    gate_digest: str
    suite_digest: str
    data_digest: str


class CertificateError(RuntimeError):
    """A certificate that cannot be read or made."""


def gate_digest() -> str:
    """Digest of the code that decides."""
    folder = Path(__file__).parent
    return digest_mapping({name: digest_bytes((folder / f"{name}.py").read_bytes()) for name in GATE_CODE})


def upper_bound(events: int, tries: int, confidence: float = CONFIDENCE) -> float:
    """One-sided Clopper-Pearson upper bound of a rate."""
    from scipy.stats import beta

    return 1.0 if events >= tries else float(beta.ppf(confidence, events + 1, tries - events))


def issue(material: Material, keys: Keys, suite: str, data: str, seed: int = SEED) -> Certificate:
    """Send worthless patches and planted improvements through the gate. About 40 s on one core."""
    rng = np.random.Generator(np.random.PCG64(seed))
    level = first_level()
    kinds = []
    for kind in KINDS:
        results = [_try(series, level, rng) for series in worthless(kind, material, PER_KIND[kind], rng)]
        kinds.append(
            KindResult(
                kind=kind,
                patches=len(results),
                false_ships=sum(shipped for shipped, _ in results),
                single_test=sum(p <= SINGLE_LEVEL for _, p in results),
            )
        )
    power = tuple(_power(size, material, level, rng) for size in SIZES)
    patches, ships = sum(k.patches for k in kinds), sum(k.false_ships for k in kinds)
    moving = [k for k in kinds if k.kind in ("swapped", "noise", "mined")]  # the others have no p-value
    tested, single = sum(k.patches for k in moving), sum(k.single_test for k in moving)
    return Certificate(
        **keys._asdict(),
        suite=suite,
        data=data,
        level=level,
        patches=patches,
        false_ships=ships,
        upper_bound=upper_bound(ships, patches),
        single_level=SINGLE_LEVEL,
        single_tested=tested,
        single_false=single,
        single_upper_bound=upper_bound(single, tested),
        kinds=tuple(kinds),
        power=power,
        minimum_detectable=minimum_detectable(power),
        seed=seed,
    )


def minimum_detectable(power: Sequence[PowerPoint]) -> float | None:
    """Smallest size at which the line between tried sizes reaches 80 %; null where it does not."""
    before: tuple[float, float] = (0.0, 0.0)
    for point in power:
        rate = point.ships / point.tries
        if rate >= POWER:
            size, low = before
            return round(size + (point.size - size) * (POWER - low) / (rate - low), 4)
        before = (point.size, rate)
    return None


def _power(size: float, material: Material, level: float, rng: np.random.Generator) -> PowerPoint:
    arms = material.arms
    ships = sum(_try(planted(material, arms[i % len(arms)], size, rng), level, rng)[0] for i in range(TRIES))
    return PowerPoint(size=size, tries=TRIES, ships=ships)


_HOLDS = GuardReading(name="assumed", baseline=0.0, patched=0.0, loss=0.0, tolerance=0.0)


def _try(series: Series, level: float, rng: np.random.Generator) -> tuple[bool, float]:
    """Whether the gate ships it, and its p-value (1 where there is none)."""
    evidence = weigh((), series, (_HOLDS,), level, int(rng.integers(2**62)), "CURRENT")
    verdict = decide(evidence)
    assert verdict.reason is not Reason.GUARD
    return verdict.ship, evidence.floor.p_value if evidence.floor is not None else 1.0


# --- keeping and finding them -----------------------------------------------------------------------


def save(certificate: Certificate, folder: Path) -> Path:
    """Write `<id>.json` below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{certificate.certificate_id}.json"
    draft = path.with_name(f".{path.name}")
    draft.write_text(canonical_json(certificate.model_dump(mode="json")) + "\n")
    return draft.replace(path)


def load_all(folders: Sequence[Path]) -> list[Certificate]:
    """Every certificate in the folders. Raises CertificateError for one whose name is not its digest."""
    found = []
    for path in (p for folder in folders for p in sorted(folder.glob("*.json"))):
        try:
            certificate = Certificate.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise CertificateError(f"certificate {path.name} cannot be read ({error}); delete it") from error
        if certificate.certificate_id != path.stem:
            raise CertificateError(
                f"certificate {path.name} has digest {certificate.certificate_id}: it was changed; delete it"
            )
        found.append(certificate)
    return found


def find(keys: Keys, folders: Sequence[Path]) -> tuple[Certificate | None, CertificateReference]:
    """The certificate for these keys, and how the gate should see it.

    STALE: there is one for this suite or data, but not with this code, suite and data, or it does not stand.
    """
    everything = load_all(folders)
    for certificate in everything:
        exact = (certificate.gate_digest, certificate.suite_digest, certificate.data_digest) == tuple(keys)
        if exact and certificate.stands:
            return certificate, reference(certificate)
    related = any(keys.suite_digest == c.suite_digest or keys.data_digest == c.data_digest for c in everything)
    return None, CertificateReference(state="STALE" if related else "NONE")


def reference(certificate: Certificate) -> CertificateReference:
    """As a record carries it."""
    return CertificateReference(
        state="CURRENT",
        certificate_id=certificate.certificate_id,
        patches=certificate.patches,
        false_ships=certificate.false_ships,
        upper_bound=certificate.upper_bound,
        minimum_detectable=certificate.minimum_detectable,
    )
