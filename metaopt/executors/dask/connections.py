"""Connections of Dask's: one that breaks neither breaks others nor turns the end of a run into an error."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from typing import Any

from distributed.core import Status
from distributed.security import Security


class _Socket(ssl.SSLSocket):
    """An encrypted connection whose errors stay its own.

    Python from 3.12.9 and 3.13.2 on, with OpenSSL from 3.4 on, leaves the system's errors in a queue of the thread,
    and takes them for those of whatever connection waits next (https://github.com/python/cpython/issues/148594).
    """

    def do_handshake(self, block: bool = False) -> None:
        with _errors_forgotten(self):
            super().do_handshake(block)

    # Also what is received into a buffer comes this way.
    def read(self, len: int = 1024, buffer: Any = None) -> bytes:
        with _errors_forgotten(self):
            return super().read(len, buffer)

    def send(self, data: Any, flags: int = 0) -> int:
        with _errors_forgotten(self):
            return super().send(data, flags)


@contextlib.contextmanager
def _errors_forgotten(connection: ssl.SSLSocket) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):  # nothing has come, or gone, yet
        raise
    except OSError:
        # A new connection clears the queue.
        connection.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=connection.server_side)
        raise


class Encryption(Security):
    """Keys and certificates of Dask's, for connections that do not break each other."""

    def get_connection_args(self, role: str) -> dict[str, Any]:
        """Returns what Dask connects with in this role."""
        arguments: dict[str, Any] = super().get_connection_args(role)
        if arguments["ssl_context"] is not None:
            arguments["ssl_context"].sslsocket_class = _Socket
        return arguments

    def get_listen_args(self, role: str) -> dict[str, Any]:
        """Returns what Dask listens with in this role."""
        arguments: dict[str, Any] = super().get_listen_args(role)
        if arguments["ssl_context"] is not None:
            arguments["ssl_context"].sslsocket_class = _Socket
            # Nobody uses a ticket, and one for a client that has gone would leave an error without an exception.
            arguments["ssl_context"].num_tickets = 0
        return arguments


def ending_without_them(kind: Any) -> Any:
    """Returns a class of Dask's clusters, changed to need no connection, and no answer of a worker, for its end.

    Dask asks the scheduler by a connection even where that is in the same process.
    """

    class Cluster(kind):
        async def _close(self) -> None:
            if self.status == Status.running:
                with contextlib.suppress(AttributeError):
                    self._adaptive.stop()
                async with self._lock:  # no worker is just being started
                    self.worker_spec.clear()
                    names = list(self.workers)
                    closing = (self.workers[name].close() for name in names)
                    answers = await asyncio.gather(*closing, return_exceptions=True)
                    for name, answer in zip(names, answers, strict=True):
                        if not isinstance(answer, BaseException):  # else Dask has another try, and says so
                            del self.workers[name]
                    self.shutdown_scheduler = False  # is for a scheduler elsewhere, and would wait for an answer
                    await asyncio.gather(self.scheduler.close(), return_exceptions=True)
            await super()._close()

    Cluster.__name__ = kind.__name__
    return Cluster
