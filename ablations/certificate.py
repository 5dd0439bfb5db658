"""The A/A certificate: how often the gate ships what is known to be worthless, and what it can see.

At least 1,000 worthless patches, a ladder of planted improvements and streams of both go through the same `measure`
and `decide` as any patch, on the suite's own data (`ablations/certifying.py`). Guards are taken to hold and the
certificate to stand, which can only raise the rate of shipping. Current only for the gate code, suite and data it was
made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from ablations.record import CertificateReference
from ablations.trials import FALSE_DISCOVERY_RATE
from ablations.worthless import Kind
from modules.canonical import canonical_json, digest_bytes, digest_json, digest_mapping
from modules.workspace import CHECKOUT

FEWEST_PATCHES = 1_000
MOST_FALSE_SHIPS = 0.05
"""Upper bound of the false-ship rate above which a certificate does not stand."""

POWER = 0.8
"""Share of improvements of the least detectable size, and at the very least of twice that size, that must ship."""

COMMITTED = CHECKOUT / "ablations" / "records" / "certificates"
GATE_CODE = (
    "bootstrap",
    "certificate",
    "certifying",
    "compared",
    "floor",
    "gate",
    "guards",
    "judging",
    "material",
    "noise",
    "rates",
    "record",
    "series",
    "trials",
    "workers",
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


class StreamResult(_Part):
    """One stream of patches, one after the other at the levels that the trials before leave them."""

    seed: int
    patches: int
    real: int
    ships: int
    false_ships: int
    lowest_level: float

    @property
    def false_discoveries(self) -> float:
        """False ships among the ships; 0 where nothing shipped."""
        return self.false_ships / self.ships if self.ships else 0.0


class Certificate(_Part):
    """What the gate is worth. Bounds are one-sided, 95 %, Clopper and Pearson (1934).

    Fields with a default came later; where they hold it they are no part of the digest.
    """

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
    twice: PowerPoint | None = None
    """Fresh improvements of twice that size."""
    streams: tuple[StreamResult, ...] = ()
    false_discovery_rate: float | None = None
    """Mean over the streams of the share of what shipped that was worthless."""
    engine: dict[str, str] = {}
    """Stage to module and digest of its code: what computed the series."""
    series_digest: str = ""
    """Of the series that patches were made of."""

    @property
    def certificate_id(self) -> str:
        """16 hex digits over all of it."""
        return digest_json(self.model_dump(mode="json", exclude_defaults=True))[:16]

    @property
    def stands(self) -> bool:
        """Whether nothing of it forbids shipping."""
        return not self.problems

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it does not stand; empty where it does. Everything that is missing is a problem."""
        found = []
        if not self.patches >= FEWEST_PATCHES:
            found.append(f"{self.patches} worthless patches were tried, {FEWEST_PATCHES} are needed")
        if not self.upper_bound <= MOST_FALSE_SHIPS:
            found.append(
                f"{self.false_ships} of {self.patches} worthless patches shipped, up to {self.upper_bound:.1%}; "
                f"at most {MOST_FALSE_SHIPS:.0%} is allowed"
            )
        if self.false_discovery_rate is None:
            found.append("no stream of patches was tried")
        elif not self.false_discovery_rate <= FALSE_DISCOVERY_RATE:
            found.append(
                f"{self.false_discovery_rate:.1%} of what shipped in streams was worthless; "
                f"at most {FALSE_DISCOVERY_RATE:.0%} is allowed"
            )
        if self.minimum_detectable is not None and not self._sees_twice:
            found.append(f"of improvements of twice {self.minimum_detectable} Sharpe fewer than {POWER:.0%} shipped")
        return tuple(found)

    @property
    def _sees_twice(self) -> bool:
        return self.twice is not None and self.twice.ships >= POWER * self.twice.tries > 0.0


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


# --- keeping and finding them -----------------------------------------------------------------------


def save(certificate: Certificate, folder: Path) -> Path:
    """Write `<id>.json` below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{certificate.certificate_id}.json"
    draft = path.with_name(f".{path.name}")
    draft.write_text(canonical_json(certificate.model_dump(mode="json", exclude_defaults=True)) + "\n")
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
