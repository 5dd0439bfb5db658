"""Schemathesis over the API as it is served, with a risk core and a desk behind it: whatever is sent, the answer is one
that the schema describes, no defect, and no request without a token is let in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from cli.api import app as application
from cli.api.gate import Rates
from cli.api.jobs import Jobs
from cli.api.server import Listen, config_of
from cli.api.tokens import SCOPES, TokenStore
from modules.workspace import CHECKOUT, Workspace
from tests.cli.api.test_gate import NEEDS
from tests.modules.live.watch.pair import running, until

pytestmark = pytest.mark.slow
EXAMPLES = 25


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """The address and a token that may do everything."""
    with running("riskd", "desk") as pair, pytest.MonkeyPatch.context() as patch:
        # A run that was asked for is ended soon: what it computes is of no interest here.
        patch.setattr(application, "Jobs", partial(Jobs, most_seconds=0.2))
        token = TokenStore(pair.home).add("t", SCOPES, days=1)
        workspace = Workspace(root=CHECKOUT, home=pair.home)
        app = application.create_app(workspace, Rates(a_second=1e6, burst=100_000), pair.place)
        place = Listen()
        listening = place.open()
        server = uvicorn.Server(config_of(app, place))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", token
        server.should_exit = True
        thread.join(30.0)
        assert not thread.is_alive()


def test_whatever_is_sent(served: tuple[str, str]) -> None:
    url, token = served
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=SchemathesisConfig())
    headers = {"Authorization": f"Bearer {token}"}
    tried = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def attack(case: schemathesis.Case) -> None:
            # A schema cannot say the signal language, nor that lots are not 0: what it allows may still be refused.
            left_out = [positive_data_acceptance] if case.method == "POST" else []
            case.call_and_validate(headers=headers, timeout=60.0, excluded_checks=left_out)

        attack()
        tried.add((operation.method.upper(), operation.path))
    assert tried == {*NEEDS, ("GET", "/health")}
