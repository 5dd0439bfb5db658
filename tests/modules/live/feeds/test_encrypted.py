"""A feed over TLS: heard where the certificate is trusted and of this name, else not one word is said or heard."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.symbols import symbol_map
from modules.live.feeds.websocket import WebSocketFeed
from tests.modules.live.feeds.server import Peer, serving
from tests.modules.live.feeds.test_websocket import QUICK, XRP, Watch, calm


def certificate(folder: Path, name: str) -> Path:
    """A certificate that vouches for itself, with its key, in one file."""
    key, who = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.mark.parametrize(
    ("name", "trusts", "heard"),
    [("localhost", True, True), ("localhost", False, False), ("elsewhere", True, False)],
    ids=["trusted", "not trusted", "of another name"],
)
def test_over_tls(tmp_path: Path, name: str, trusts: bool, heard: bool) -> None:
    file = certificate(tmp_path, name)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(file)
    trusted = ssl.create_default_context(cafile=str(file)) if trusts else None
    with serving(Peer(1, calm), own) as peer:
        url = f"wss://localhost:{peer.port}/stream"
        feed = WebSocketFeed("f", url, Bybit(symbol_map("bybit", [XRP.symbol])), QUICK, context=trusted)
        watch = Watch(feed)
        if heard:
            watch.until(lambda: watch.agrees(peer))
        else:
            watch.until(lambda: bool(watch.links))
            assert not watch.links[0].is_up and "certificate" in watch.links[0].reason.lower()
            assert peer.heard == [] and peer.connections == 0
        feed.close()
