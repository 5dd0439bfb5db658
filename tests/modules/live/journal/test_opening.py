"""Where an account's journals are, as its file says it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from modules.live.journal.opening import Store


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"store": "postgres"}, "needs one"),
        ({"store": "file", "dsn": "host=db"}, "has none"),
        ({"store": "postgres", "dsn": "host=db password=x"}, "pgpass"),
        ({"store": "postgres", "dsn": "postgresql://me:x@db/y"}, "pgpass"),
        ({"store": "redis"}, "file"),
        ({"stor": "file"}, "extra"),
    ],
)
def test_what_is_refused(given: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=f"(?i){why}"):
        Store.model_validate(given)


def test_a_file_is_the_default() -> None:
    assert Store().store == "file" and Store(store="postgres", dsn="host=db user=desk").dsn == "host=db user=desk"
