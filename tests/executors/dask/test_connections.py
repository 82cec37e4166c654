from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from distributed import LocalCluster
from distributed.security import Security

from metaopt.executors.dask.connections import Encryption, ending_without_them
from metaopt.executors.dask.local import local_cluster


def connected(security: Security) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """Returns both ends of an encrypted connection, which wait for nothing."""
    contexts = (security.get_listen_args("scheduler")["ssl_context"], security.get_connection_args("client"))
    near, far = socket.socketpair()
    shaking = {"server_side": True, "do_handshake_on_connect": False}
    server = contexts[0].wrap_socket(near, **shaking)
    client = contexts[1]["ssl_context"].wrap_socket(far, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.do_handshake)
    thread.start()
    client.do_handshake()
    thread.join()
    for end in (server, client):
        end.setblocking(False)
    return server, client


@contextlib.contextmanager
def two_connections() -> Iterator[tuple[ssl.SSLSocket, ...]]:
    security: Encryption = Encryption.temporary()
    ends = (*connected(security), *connected(security))
    with contextlib.ExitStack() as stack:
        for end in ends:
            stack.enter_context(end)
        yield ends


def read_it(end: ssl.SSLSocket) -> None:
    end.recv_into(bytearray(10))


def write_it(end: ssl.SSLSocket) -> None:
    end.send(b"x" * 10)


@pytest.mark.parametrize("use", [read_it, write_it])
def test_a_connection_that_breaks_leaves_the_others_as_they_are(use: Any) -> None:
    with two_connections() as (broken, its_peer, whole, peer):
        its_peer.close()
        for _ in range(3):
            with contextlib.suppress(OSError):
                use(broken)
            with pytest.raises(ssl.SSLWantReadError):
                whole.recv(10)
        peer.send(b"hello")
        assert whole.recv(10) == b"hello"


async def gone(comm: Any, **request: Any) -> None:
    comm.abort()


def test_a_cluster_ends_without_its_connections(caplog: pytest.LogCaptureFixture) -> None:
    threads = set(threading.enumerate())
    with local_cluster(2) as client:
        client.wait_for_workers(2)
        scheduler, cluster = client.cluster.scheduler, client.cluster
        workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
        processes = [*workers, *(child for worker in workers for child in worker.children(recursive=True))]
        for request in ("retire_workers", "terminate"):
            scheduler.handlers[request] = gone
    assert cluster.status.name == scheduler.status.name == "closed"
    assert not any(process.is_running() for process in processes)
    assert not {thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("IO loop")}
    assert not caplog.records


def test_what_fails_while_a_cluster_runs_is_not_hidden_by_its_end() -> None:
    with pytest.raises(LookupError, match="of ours"), local_cluster(1):
        raise LookupError("of ours")


def test_a_cluster_that_has_not_started_ends_too() -> None:
    cluster = ending_without_them(LocalCluster)
    with pytest.raises(RuntimeError, match="failed to start"):
        cluster(n_workers=0, host="no-such-host.invalid", dashboard_address=":0", processes=False)
