"""The signed checkpoint: how long the log is and what its last line hashes to, kept apart from the log.

A hash chain cannot tell a log from a shorter one; the checkpoint can. It is signed with Ed25519. The private key
(`ledger.key`, mode 0600) is made on first use and is needed to append; `ledger.pub` is enough to verify. All three
files are strict text, read back only if they are byte for byte what this file would have written.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from traces.disk import Disk, replace_file, stage_file, staged_path
from traces.events import canonical_json
from traces.log import GENESIS, LedgerError

CHECKPOINT_NAME = "checkpoint.json"
PRIVATE_NAME = "ledger.key"
PUBLIC_NAME = "ledger.pub"
_DOMAIN = b"cws-ledger-checkpoint/1\n"
_HEX_KEY = re.compile(rb"[0-9a-f]{64}\n")


class CheckpointError(LedgerError):
    """A checkpoint or key is missing, altered, or belongs to another. `at_fault` says which of the two."""

    def __init__(self, message: str, at_fault: Literal["checkpoint", "key"] = "checkpoint") -> None:
        super().__init__(message)
        self.at_fault = at_fault


class Checkpoint(BaseModel):
    """`count` lines, `size_bytes` long, the last of them at `ts_ns` and with hash `head`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: Annotated[int, Field(ge=0)]
    head: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=0)]
    ts_ns: Annotated[int, Field(ge=0)]


EMPTY = Checkpoint(count=0, head=GENESIS, size_bytes=0, ts_ns=0)


class _Signed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Checkpoint
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


def fingerprint(public: bytes) -> str:
    """Short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def _sign(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> bytes:
    signature = private.sign(_DOMAIN + canonical_json(checkpoint).encode())
    public = private.public_key().public_bytes_raw()
    signed = _Signed(checkpoint=checkpoint, key=fingerprint(public), signature=signature.hex())
    return canonical_json(signed).encode() + b"\n"


def _read_key(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CheckpointError(f"{path.name} is missing from {path.parent}: restore it from a backup", "key") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})", "key") from error
    if not _HEX_KEY.fullmatch(raw):
        raise CheckpointError(f"{path}: is not 64 hex digits and a newline: restore it from a backup", "key")
    return bytes.fromhex(raw.decode().strip())


class CheckpointStore:
    """The checkpoint and its keys in one folder. Whoever writes holds the ledger's lock."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk or Disk()
        self._pair: tuple[bytes, bytes, Ed25519PrivateKey] | None = None
        self._known: tuple[bytes, Checkpoint] | None = None

    @property
    def path(self) -> Path:
        """The checkpoint file."""
        return self.folder / CHECKPOINT_NAME

    def exists(self) -> bool:
        """Whether any of the three files is there."""
        return any((self.folder / name).exists() for name in (CHECKPOINT_NAME, PRIVATE_NAME, PUBLIC_NAME))

    def unborn(self) -> bool:
        """Whether a first use never got to its end: the private key, which is written last, is not there, and no
        checkpoint counts a line."""
        if (self.folder / PRIVATE_NAME).exists():
            return False
        try:
            signed = _Signed.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return not (self.folder / PUBLIC_NAME).exists()
        except (OSError, ValidationError):
            return False
        return signed.checkpoint.count == 0

    def create(self) -> None:
        """A new key and the checkpoint of an empty log. The private key comes last, so that it proves the rest."""
        self._disk.make_folder(self.folder, mode=0o700)
        private = Ed25519PrivateKey.generate()
        replace_file(self._disk, self.path, _sign(EMPTY, private))
        public = private.public_key().public_bytes_raw()
        replace_file(self._disk, self.folder / PUBLIC_NAME, public.hex().encode() + b"\n")
        secret = private.private_bytes_raw().hex().encode() + b"\n"
        key_path = self.folder / PRIVATE_NAME
        self._disk.remove(staged_path(key_path))  # a leftover could have a wider mode
        replace_file(self._disk, key_path, secret, mode=0o600)

    def public_key(self) -> bytes:
        """The 32 bytes of the public key. Raises CheckpointError."""
        return _read_key(self.folder / PUBLIC_NAME)

    def private_key(self) -> Ed25519PrivateKey:
        """The signing key, read anew and checked against the public one. Raises CheckpointError."""
        secret, public = _read_key(self.folder / PRIVATE_NAME), self.public_key()
        if self._pair is None or self._pair[:2] != (secret, public):
            private = Ed25519PrivateKey.from_private_bytes(secret)
            if private.public_key().public_bytes_raw() != public:
                names = f"{PRIVATE_NAME} and {PUBLIC_NAME}"
                raise CheckpointError(f"{names} in {self.folder} are no pair: restore both from a backup", "key")
            self._pair = (secret, public, private)
        return self._pair[2]

    def load(self, public: bytes | None = None) -> Checkpoint:
        """The checkpoint, its signature checked against `public` (default: `ledger.pub`). Raises CheckpointError."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            raise CheckpointError(f"{self.path.name} is missing from {self.folder}: restore it from a backup") from None
        except OSError as error:
            raise CheckpointError(f"{self.path}: cannot be read ({error.strerror})") from error
        if public is None and self._known is not None and self._known[0] == raw:
            return self._known[1]
        checkpoint = self._check(raw, public if public is not None else self.public_key())
        self._known = (raw, checkpoint)
        return checkpoint

    def _check(self, raw: bytes, public: bytes) -> Checkpoint:
        try:
            signed = _Signed.model_validate_json(raw)
        except ValidationError as error:
            raise CheckpointError(f"{self.path}: is no checkpoint: it was altered; restore it from a backup") from error
        if canonical_json(signed).encode() + b"\n" != raw:
            raise CheckpointError(f"{self.path}: is not in canonical form: it was altered; restore it from a backup")
        if signed.key != fingerprint(public):
            raise CheckpointError(f"{self.path}: signed by key {signed.key}, expected key {fingerprint(public)}")
        try:
            message = _DOMAIN + canonical_json(signed.checkpoint).encode()
            Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signed.signature), message)
        except InvalidSignature:
            raise CheckpointError(f"{self.path}: its signature does not hold: it was altered or forged") from None
        return signed.checkpoint

    def stage(self, checkpoint: Checkpoint) -> tuple[Path, bytes]:
        """The signed checkpoint, durable beside the one in force; `publish` puts it in its place."""
        raw = _sign(checkpoint, self.private_key())
        return stage_file(self._disk, self.path, raw), raw

    def publish(self, staged: Path) -> None:
        """Put a staged checkpoint in force. Raises OSError, and then the old one is still in force."""
        self._disk.replace(staged, self.path)

    def settle(self, checkpoint: Checkpoint, raw: bytes) -> None:
        """Make the published checkpoint survive a power cut."""
        self._known = (raw, checkpoint)
        self._disk.sync_folder(self.folder)
