"""The key and the certificate by which a scheduler, its workers and its clients know each other."""

from __future__ import annotations

import os
from pathlib import Path

from distributed.security import Security

from metaopt.core.errors import ConfigError, RunError, with_extra
from metaopt.core.system_errors import explained
from metaopt.executors.dask.connections import Encryption

_CERTIFICATE, _KEY = "certificate.pem", "key.pem"


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """Makes a folder with a new key, and a certificate for it that is also what to trust.

    Returns:
        The files of the certificate and of the key, readable by their owner only.

    Raises:
        ConfigError: if the package cryptography is not installed.
        RunError: if the folder exists or cannot be made.
    """
    try:
        security = Security.temporary()
    except ImportError:
        raise ConfigError(
            "certificates need the package cryptography, which is not installed", with_extra("clusters")
        ) from None
    try:
        folder.mkdir(mode=0o700, parents=True)
        for name, content in ((_CERTIFICATE, security.tls_ca_file), (_KEY, security.tls_client_key)):
            with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(content)
    except FileExistsError:
        raise RunError(f"{folder} exists, and keys are not written over", "name a new folder") from None
    except OSError as error:
        raise explained(error, f"cannot make {folder}", "name a folder you may write to") from None
    return folder / _CERTIFICATE, folder / _KEY


def trusting(certificate: Path, key: Path) -> Encryption:
    """Returns what a scheduler, its workers and its clients are given to know each other by those files."""
    roles = ("scheduler", "worker", "client")
    certificates = {f"tls_{role}_cert": str(certificate) for role in roles}
    keys = {f"tls_{role}_key": str(key) for role in roles}
    return Encryption(require_encryption=True, tls_ca_file=str(certificate), **certificates, **keys)
