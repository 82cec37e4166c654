from __future__ import annotations

import pytest

from metaopt.core.redaction import redacted, redacted_command, redacted_json


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("cannot reach tls://ann:s3cret@host:8786 now", "cannot reach tls://***@host:8786 now"),
        ("https://s3cret@host/path", "https://***@host/path"),
        ("https://ann:s3@cret@host/a@b", "https://***@host/a@b"),
        ("'https://host/x?token=s3cret&a=1'", "'https://host/x?token=***&a=1'"),
        ("https://host/?my_api_key=s3cret", "https://host/?my_api_key=***"),
        ("tls://10.0.0.1:8786", "tls://10.0.0.1:8786"),
        ("mail ann@host, see https://host/a?b=c", "mail ann@host, see https://host/a?b=c"),
    ],
)
def test_addresses(text: str, kept: str) -> None:
    assert redacted(text) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--password", "s3cret", "--seed", "1"], ["--password", "***", "--seed", "1"]),
        (["--tls-token=s3cret"], ["--tls-token=***"]),
        (["--set", "api_key=s3cret"], ["--set", "api_key=***"]),
        (["--scheduler", "tls://ann:s3cret@host"], ["--scheduler", "tls://***@host"]),
        (["--use-token", "--seed", "1"], ["--use-token", "--seed", "1"]),
        (["--set", "learning_rate=0.1", "tokenizer"], ["--set", "learning_rate=0.1", "tokenizer"]),
    ],
)
def test_commands(given: list[str], kept: list[str]) -> None:
    assert redacted_command(given) == kept


def test_json() -> None:
    given = {
        "run": {"scheduler": "tls://a:b@host", "options": {"Password": "x", "secret": ["a", "b"], "eta": 2}},
        "cells": ("1", None, True),
        "token": "",
    }
    assert redacted_json(given) == {
        "run": {"scheduler": "tls://***@host", "options": {"Password": "***", "secret": ["***", "***"], "eta": 2}},
        "cells": ["1", None, True],
        "token": "",
    }
