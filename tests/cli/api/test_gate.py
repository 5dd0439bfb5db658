"""Who may ask, how often, how much.

1. Without a token in force nothing is answered but /health and /openapi.json; a token that is unknown, revoked or past
   its time is none.
2. A token does what its scopes say and nothing else, on every route.
3. A body, a path, headers that are too long are refused before any route sees them, whatever Content-Length says.
4. Whoever asks too often waits; others do not wait for him.
5. No page of a browser is served.
6. A token is kept as a hash, in a file that its owner alone may read.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest

from cli.api.gate import MAX_BODY_BYTES, MOST_CALLERS, Rates
from cli.api.tokens import SCOPES, TokenStore
from cli.errors import CommandError, RequestError
from modules.live.units import DAY_NS
from modules.workspace import Workspace
from tests.cli.api.conftest import Client
from tests.cli.conftest import Cws, cws  # noqa: F401 - the fixture

NEEDS = {
    ("GET", "/v1/backtests"): "research",
    ("GET", "/v1/backtests/{run}"): "research",
    ("GET", "/v1/backtests/{run}/nav"): "research",
    ("GET", "/v1/backtests/{run}/signals"): "research",
    ("GET", "/v1/backtests/{run}/regime"): "research",
    ("POST", "/v1/pipeline-runs"): "run",
    ("GET", "/v1/pipeline-runs"): "run",
    ("GET", "/v1/pipeline-runs/{job_id}"): "run",
    ("POST", "/v1/orders"): "trade",
    ("GET", "/v1/orders"): "portfolio",
    ("DELETE", "/v1/orders"): "cancel",
    ("GET", "/v1/orders/{client_id}"): "portfolio",
    ("DELETE", "/v1/orders/{client_id}"): "cancel",
    ("GET", "/v1/portfolio"): "portfolio",
    ("GET", "/v1/fills"): "portfolio",
    ("GET", "/v1/risk"): "portfolio",
    ("GET", "/v1/signals"): "portfolio",
    ("GET", "/metrics"): "metrics",
}
"""Every route with the one scope that it needs. A new route fails `test_2` until it stands here."""


def test_1_no_token_no_answer(client: Client, workspace: Workspace) -> None:
    nobody = client()
    assert nobody.get("/health").json() == {"name": "cws", "mode": "NONE"}
    assert nobody.get("/openapi.json").status_code == 200
    store = TokenStore(workspace.home)
    over = store.add("over", ["research"], days=1, now_ns=1)
    gone = store.add("gone", ["research"], days=1)
    assert nobody.get("/v1/backtests", headers={"Authorization": f"Bearer {gone}"}).status_code == 200
    store.revoke("gone")
    for given in ("", "Bearer", "Bearer cws_x", f"Basic {gone}", f"Bearer {over}", f"Bearer {gone}", "Bearer \xe9"):
        said = nobody.get("/v1/backtests", headers={"Authorization": given.encode("latin-1")})
        assert said.status_code == 401 and said.headers["www-authenticate"] == "Bearer", given
        assert said.json()["faults"][0]["remedy"] == "`cws api token add NAME` makes one"
        assert gone not in said.text and over not in said.text


def test_2_a_token_does_what_its_scopes_say(client: Client) -> None:
    paths = client().get("/openapi.json").json()["paths"]
    routes = {(m.upper(), p) for p, methods in paths.items() for m in methods if p != "/health"}
    assert routes == NEEDS.keys()
    free = Rates(a_second=1e6, burst=10_000)
    clients = {scope: client(scope, rates=free) for scope in SCOPES}
    for (method, path), needed in NEEDS.items():
        there = path.format(run="last", job_id="0" * 16, client_id="x", symbol="A.B")
        for scope, asking in clients.items():
            said = asking.request(method, there, json={"signal": ""} if method == "POST" else None)
            lacks = said.status_code == 403 and "lacks the scope" in said.json()["error"]
            assert lacks == (scope != needed), (method, path, scope, said.text)


def chunks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b" " * 1024


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b" " * (MAX_BODY_BYTES + 1), {}, 413),
        (chunks(MAX_BODY_BYTES // 1024 + 1), {}, 413),
        (b"{}", {"Content-Length": "99999999"}, 413),
        (b"{}", {"Content-Length": "-1"}, 413),
        (b"{}", {"X-Long": "a" * 40_000}, 431),
        (b" " * MAX_BODY_BYTES, {}, 422),
        (b"\xff\xfe", {}, 422),
        (b"[" * 50_000, {}, 400),
        (b'{"signal": NaN}', {}, 422),
        (b'{"seed": 1e999}', {}, 422),
        (b'{"unknown": 1}', {}, 422),
    ],
)
def test_3_what_is_too_long_or_garbage_is_refused(
    client: Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    said = client("run").post("/v1/pipeline-runs", content=body, headers=headers)
    assert said.status_code == status, said.text
    (*_, first) = said.json()["faults"]
    assert first["field"] and first["rule"] and first["remedy"]


def test_3_a_long_path(client: Client) -> None:
    assert client("research").get("/v1/backtests?data=" + "a" * 9_000).status_code == 414


def test_4_who_asks_too_often_waits(client: Client) -> None:
    now = [0.0]
    rates = Rates(a_second=2.0, burst=3, clock=lambda: now[0])
    asking = client("research", rates=rates)
    assert [asking.get("/v1/backtests").status_code for _ in range(4)] == [200, 200, 200, 429]
    said = asking.get("/v1/backtests")
    assert said.headers["retry-after"] == "1" and "2 requests a second" in said.json()["faults"][0]["rule"]
    assert asking.get("/health", headers={"Authorization": ""}).status_code == 200
    now[0] = 0.5
    assert [asking.get("/v1/backtests").status_code for _ in range(2)] == [200, 429]
    for number in range(3 * MOST_CALLERS):
        rates.wait_s(f"host {number}")
    assert len(rates._left) == MOST_CALLERS


def test_5_no_page_of_a_browser(client: Client) -> None:
    asking = client("research")
    said = asking.get("/v1/backtests", headers={"Origin": "https://example.org"})
    assert said.status_code == 403 and "access-control-allow-origin" not in said.headers
    said = asking.options("/v1/backtests", headers={"Origin": "null", "Access-Control-Request-Method": "GET"})
    assert said.status_code == 403
    assert "access-control-allow-origin" not in asking.get("/v1/backtests").headers
    assert asking.get("/v1/backtests").headers["x-trading-mode"] == "NONE"


def test_6_tokens_are_kept_as_hashes(workspace: Workspace, cws: Cws) -> None:  # noqa: F811
    made = cws("api", "token", "add", "ada", "--scope", "trade", "--scope", "portfolio", "--json").json
    store = TokenStore(workspace.home)
    assert made["token"].startswith("cws_") and len(made["token"]) > 40
    assert made["token"] not in store.path.read_text()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert store.find(made["token"]).scopes == ("portfolio", "trade")  # type: ignore[union-attr]
    assert cws("api", "token", "add", "ada").code == 2
    assert cws("api", "token", "add", "eve", "--scope", "everything").code == 2
    assert cws("api", "token", "add", "E V E").code == 2
    assert [t["name"] for t in cws("api", "token", "list", "--json").json["tokens"]] == ["ada"]
    assert cws("api", "token", "revoke", "ada").code == 0 and cws("api", "token", "revoke", "ada").code == 2
    assert store.find(made["token"]) is None


def test_6_a_file_that_others_may_read_or_changed_is_not_trusted(workspace: Workspace) -> None:
    store = TokenStore(workspace.home)
    secret = store.add("ada", ["research"], days=2, now_ns=0)
    assert store.find(secret, now_ns=DAY_NS) is not None and store.find(secret, now_ns=2 * DAY_NS) is None
    store.path.chmod(0o644)
    with pytest.raises(CommandError, match="read by others"):
        store.find(secret, now_ns=1)
    store.path.chmod(0o600)
    store.path.write_text(store.path.read_text().replace('"research"', '"root"'))
    with pytest.raises(CommandError, match="line 1: scopes"):
        TokenStore(workspace.home).find(secret, now_ns=1)
    with pytest.raises(RequestError):
        TokenStore(workspace.home / "other").revoke("ada")


def test_the_api_is_not_offered_to_a_network_in_the_clear(cws: Cws) -> None:  # noqa: F811
    assert cws("api", "serve", "--host", "0.0.0.0", "--port", "0").code == 2
