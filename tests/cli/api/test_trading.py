"""What is traded, over a real risk core and a real desk in processes of their own.

1. An order goes out once, whoever asks again; one that the risk core refuses is 403 with the check that failed.
2. What is shown is what the risk core and the desk's journal say.
3. Where the desk or the risk core is gone, it is 503 with the remedy, and never an empty account.
4. A stream tells ticks, fills and orders as they come; one without the scope does not begin.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from cli.api.app import create_app
from cli.api.remedies import REMEDIES
from cli.api.tokens import SCOPES, TokenStore
from modules.live.risk.rules import Rule
from modules.workspace import CHECKOUT, Workspace
from tests.cli.api.conftest import Client
from tests.modules.live.watch.pair import Pair, running, until

ORDER = {"symbol": "AAA", "lots": 100, "venue": "sim"}


@contextmanager
def asking(pair: Pair, *scopes: str) -> Iterator[TestClient]:
    workspace = Workspace(root=CHECKOUT, home=pair.home)
    token = TokenStore(pair.home).add("t", scopes or SCOPES, days=1)
    app = create_app(workspace, place=pair.place)
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def test_every_rule_has_its_remedy() -> None:
    assert set(REMEDIES) == set(Rule) - {Rule.WITHIN_LIMITS, Rule.REDUCES_EXPOSURE}


def test_3_no_account_no_answer(client: Client) -> None:
    nobody = client("all")
    for path in ("/v1/portfolio", "/v1/orders", "/v1/risk", "/v1/signals", "/v1/fills", "/metrics"):
        said = nobody.get(path)
        assert said.status_code == 503 and "--account" in said.json()["faults"][0]["remedy"], path


@pytest.mark.slow
def test_orders_and_what_is_shown() -> None:
    with running("riskd", "desk") as pair, asking(pair) as client:

        def get(path: str) -> Any:
            """What is said there; who is asked and does not answer in half a second is gone for that moment (503)."""
            said = [client.get(path)]
            while said[-1].status_code == 503 and len(said) < 1_000:
                time.sleep(0.05)
                said.append(client.get(path))
            return said[-1].json()

        assert until(lambda: get("/v1/risk")["cancel_only"] is None)
        with client.websocket_connect("/v1/stream?kinds=fills&kinds=orders") as stream:
            assert json.loads(stream.receive_text()) == {"kind": "hello", "mode": "PAPER", "account": "test"}
            asked = {**ORDER, "decided_ns": time.time_ns()}
            first = client.post("/v1/orders", json=asked)
            assert first.status_code == 201 and first.headers["x-trading-mode"] == "PAPER"
            told = first.json()
            assert (told["mode"], told["status"], told["answer"], told["allowed_lots"]) == (
                "PAPER",
                "sent",
                "APPROVE",
                100,
            )
            again = client.post("/v1/orders", json=asked)
            assert again.json()["client_id"] == told["client_id"]
            heard = [json.loads(stream.receive_text()) for _ in range(2)]
            assert {h["kind"] for h in heard} == {"order", "fill"} and {h["client_id"] for h in heard} == {
                told["client_id"]
            }

        refused = client.post("/v1/orders", json={**ORDER, "lots": 10_000_000})
        assert refused.status_code == 403
        check = refused.json()["check"]
        assert (check["answer"], check["rule"], check["limit"], check["value"]) == ("REJECT", "ORDER_LOTS", 1e6, 1e7)
        (fault,) = refused.json()["faults"]
        assert fault["field"] == "order" and fault["remedy"] == "order fewer lots" and "ORDER_LOTS" in fault["rule"]
        assert client.post("/v1/orders", json={**ORDER, "strategy": "nobody"}).json()["check"]["rule"] == "STRATEGY"
        assert client.post("/v1/orders", json={**ORDER, "lots": 0}).json()["faults"][0]["field"] == "body.lots"
        assert client.post("/v1/orders", json={**asked, "lots": 7}).status_code == 422
        refused = client.post("/v1/orders", json={**asked, "lots": 7, "limit_price": -1})
        assert refused.json()["faults"][0]["field"] == "body.limit_price"

        resting = {**ORDER, "order_type": "limit", "limit_price": 99.0}
        name = client.post("/v1/orders", json=resting).json()["client_id"]
        assert until(lambda: [o["client_id"] for o in get("/v1/orders?state=open")["orders"]] == [name])
        assert get(f"/v1/orders/{name}")["state"] == "working" and get(f"/v1/orders/{name}")["limit_price"] == 99.0
        assert client.delete(f"/v1/orders/{name}").status_code == 202
        assert until(lambda: get(f"/v1/orders/{name}")["state"] == "cancelled")
        assert client.delete("/v1/orders/nobody").status_code == 404
        assert client.get("/v1/orders/nobody").status_code == 404
        client.post("/v1/orders", json=resting)
        assert client.delete("/v1/orders").status_code == 422
        assert client.delete("/v1/orders", params={"reason": "a test"}).status_code == 202
        assert until(lambda: get("/v1/orders?state=open")["orders"] == [])

        lines = [json.loads(line) for line in (pair.place.folder / "api.jsonl").read_text().splitlines()]
        assert {line["by"] for line in lines} == {"t"} and lines[0]["what"]["decided_ns"] == asked["decided_ns"]
        assert [line["verb"] for line in lines].count("cancel all") == 1

        page = get("/v1/orders?limit=2")
        rest = get(f"/v1/orders?limit=200&after={page['next']}")
        assert len(page["orders"]) == 2 and rest["next"] is None
        every = [o["client_id"] for o in (*page["orders"], *rest["orders"])]
        assert len(every) == len(set(every)) == 5

        assert until(lambda: get("/v1/portfolio")["positions"][0]["lots"] == 100)
        account = get("/v1/portfolio")
        assert (account["mode"], account["nav_usd"], account["cash_usd"]) == ("PAPER", 1e6, 990_000.0)
        assert account["positions"][0]["value_usd"] == 10_000.0
        (fill,) = get("/v1/fills")["fills"]
        assert (fill["client_id"], fill["lots"], fill["price"], fill["value_usd"]) == (
            told["client_id"],
            100,
            100.0,
            10_000.0,
        )
        (decision,) = get("/v1/signals")["decisions"]
        assert decision["signals"][0] == {"symbol": "AAA", "signal": 0.5, "weight": 0.01, "lots": 100}
        assert until(lambda: {"rule": "INSTRUMENT_NAV", "used": 0.01, "limit": 0.05} in get("/v1/risk")["uses"])
        assert get("/v1/risk")["killed"] is None
        assert 'cws_rulings_total{account="test",answer="REJECT",rule="ORDER_LOTS"} 1.0' in client.get("/metrics").text

        log = pair.place.folder / "api.jsonl"
        log.unlink()
        log.mkdir()
        assert "who asked" in client.post("/v1/orders", json=ORDER).json()["faults"][0]["rule"]
        assert client.delete("/v1/orders", params={"reason": "no disk"}).status_code == 202
        log.rmdir()
        pair.kill("desk")
        assert client.post("/v1/orders", json=ORDER).status_code == 503
        assert client.delete("/v1/orders", params={"reason": "gone"}).status_code == 503
        assert until(lambda: client.get("/v1/signals").status_code == 503)
        assert client.get("/v1/portfolio").json()["positions"][0]["lots"] == 100
        pair.kill("riskd")
        assert until(lambda: client.get("/v1/portfolio").status_code == 503)
        assert client.get("/v1/orders").status_code == 503
        assert client.get("/health").json()["mode"] == "NONE"


@pytest.mark.slow
def test_4_a_stream_needs_its_scope() -> None:
    with (
        running("riskd") as pair,
        asking(pair, "research") as client,
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect("/v1/stream"),
    ):
        pass
    assert closed.value.code == 1008 and "portfolio" in closed.value.reason
