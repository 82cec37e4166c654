"""A Dask scheduler that runs already, and whatever workers are connected to it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from distributed import Client

from metaopt.core.errors import ConfigError
from metaopt.executors.dask.clusters.base import Cluster
from metaopt.executors.dask.clusters.fleet import of_others
from metaopt.executors.dask.clusters.settings import SchedulerSettings
from metaopt.executors.dask.connections import Encryption

_CONNECT_S = 20.0


@contextlib.contextmanager
def scheduler(settings: SchedulerSettings) -> Iterator[Cluster]:
    """Connects to the scheduler; leaves it and its workers as they are at the end.

    Raises:
        ConfigError: if a certificate is lacking or refused, or if nobody answers.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of losses is said by the watch
    try:
        client = Client(
            settings.address, security=_security(settings), timeout=_CONNECT_S, set_as_default=False, name="metaopt"
        )
    # Of the network, of TLS, of a file that is no certificate, of Dask's configuration.
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        reason = next(iter(str(error.__cause__ or error).splitlines()), type(error).__name__)
        raise ConfigError(
            f"cannot connect to the Dask scheduler at {settings.address}: {reason}",
            "check that it runs, and that its certificates are those that metaopt is given; see docs/clusters.md",
        ) from None
    with client:
        yield Cluster(client, of_others(), f"start one: dask worker {settings.address} ..., see docs/clusters.md")


def _security(settings: SchedulerSettings) -> Encryption | None:
    if not settings.encrypted:
        return None
    files = {
        "tls_ca_file": settings.ca,
        "tls_client_cert": settings.certificate,
        "tls_client_key": settings.key,
    }
    # What is not given is taken from Dask's own configuration.
    security = Encryption(require_encryption=True, **{name: file for name, file in files.items() if file})
    if not all(getattr(security, name) for name in files):
        raise ConfigError(
            f"{settings.address} wants certificates, and none are given",
            "name ca, certificate and key in a cluster file, or in Dask's configuration; see docs/clusters.md",
        )
    return security
