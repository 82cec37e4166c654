"""Two machines on this one: network namespaces with a cable between them, which can be pulled out."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from types import TracebackType

import pytest


@dataclass(frozen=True, slots=True)
class Machine:
    """Where processes run.

    Attributes:
        host: The address by which others reach them.
        prefix: What stands before their commands.
    """

    host: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


HERE = Machine()


class TwoMachines:
    """Exists between entering and leaving; needs root.

    Attributes:
        near: One of them.
        far: The other.
    """

    def __init__(self) -> None:
        names = [f"metaopt-{os.getpid()}-{end}" for end in "ab"]
        # Addresses of tests' own, that no network has: they are never seen outside of the two namespaces.
        self.near, self.far = (
            Machine(f"198.18.0.{number}", ("ip", "netns", "exec", name)) for number, name in enumerate(names, 1)
        )
        self._names = names

    def __enter__(self) -> TwoMachines:
        if os.geteuid() != 0 or shutil.which("ip") is None:
            pytest.skip("network namespaces need root and Debian's package iproute2")
        try:
            for name in self._names:
                _ip("netns", "add", name)
            ends = [("cable", "netns", name) for name in self._names]
            _ip("link", "add", *ends[0], "type", "veth", "peer", "name", *ends[1])
            for name, machine in zip(self._names, (self.near, self.far), strict=True):
                _ip("-n", name, "address", "add", f"{machine.host}/24", "dev", "cable")
                for device in ("lo", "cable"):
                    _ip("-n", name, "link", "set", device, "up")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._names:
            with contextlib.suppress(subprocess.CalledProcessError):  # it may not have come to be
                _ip("netns", "delete", name)

    def pull(self) -> None:
        """Takes the cable out: what is on its way is lost, and nobody is told."""
        _ip("-n", self._names[1], "link", "set", "cable", "down")

    def plug(self) -> None:
        """Puts the cable in again."""
        _ip("-n", self._names[1], "link", "set", "cable", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
