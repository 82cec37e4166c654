from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest

from metaopt.core.errors import RunError
from metaopt.executors.dask.clusters.certificates import make_certificates, trusting


def test_only_the_owner_reads_the_key_and_it_is_that_of_the_certificate(tmp_path: Path) -> None:
    before = os.umask(0)  # the widest there is
    try:
        certificate, key = make_certificates(tmp_path / "keys")
    finally:
        os.umask(before)
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    ssl.create_default_context().load_cert_chain(certificate, key)  # raises if they are not a pair


def test_keys_are_not_written_over(tmp_path: Path) -> None:
    make_certificates(tmp_path / "keys")
    before = (tmp_path / "keys" / "key.pem").read_bytes()
    with pytest.raises(RunError, match="exists, and keys are not written over"):
        make_certificates(tmp_path / "keys")
    assert (tmp_path / "keys" / "key.pem").read_bytes() == before
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot make"):
        make_certificates(tmp_path / "file" / "keys")


def test_every_role_shows_the_certificate_and_wants_encryption(tmp_path: Path) -> None:
    security = trusting(*make_certificates(tmp_path / "keys"))
    assert security.require_encryption
    for role in ("scheduler", "worker", "client"):
        files = security.get_tls_config_for_role(role)
        assert files["cert"] == str(tmp_path / "keys" / "certificate.pem")
        assert files["key"] == str(tmp_path / "keys" / "key.pem")
