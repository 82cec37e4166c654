"""A Dask scheduler and workers that others run: processes of their own over TLS, to be joined, left and killed."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from distributed.security import Security

from harness import HELPERS, wait_until
from two_machines import HERE, Machine

_ENVIRONMENT = {"DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONPATH": str(HELPERS)}


class Outside:
    """A cluster of processes, ended with the test.

    Args:
        folder: For keys and output.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        security = Security.temporary()
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        self.certificate.write_text(security.tls_ca_file)
        self.key.write_text(security.tls_client_key)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.address = ""

    def start_scheduler(self, port: int = 0, machine: Machine = HERE, **environment: str) -> subprocess.Popen[bytes]:
        """Starts the scheduler and waits until it says where it is."""
        place = self.folder / "scheduler.json"
        place.unlink(missing_ok=True)
        options = ["--protocol", "tls", "--host", machine.host, "--port", str(port), "--no-dashboard"]
        process = self._start("dask_scheduler", [*options, "--scheduler-file", str(place)], machine, **environment)
        wait_until(lambda: place.exists() and place.read_text().strip().endswith("}"))
        self.address = json.loads(place.read_text())["address"]
        return process

    def start_worker(self, *options: str, machine: Machine = HERE, **environment: str) -> subprocess.Popen[bytes]:
        """Starts a worker; it joins when it is ready."""
        usual = ["--nthreads", "1", "--no-dashboard", "--death-timeout", "600", "--host", machine.host]
        return self._start("dask_worker", [self.address, *usual, *options], machine, **environment)

    def cluster_file(self, **settings: Any) -> Path:
        """Returns a file that describes the cluster."""
        path = self.folder / "cluster.yaml"
        files = {"ca": str(self.certificate), "certificate": str(self.certificate), "key": str(self.key)}
        path.write_text(yaml.safe_dump({"kind": "scheduler", "address": self.address, **files, **settings}))
        return path

    def _start(self, module: str, options: list[str], machine: Machine, **environment: str) -> subprocess.Popen[bytes]:
        files = ["--tls-ca-file", self.certificate, "--tls-cert", self.certificate, "--tls-key", self.key]
        with open(self.folder / f"{module}-{len(self.processes)}.log", "wb") as log:
            process = subprocess.Popen(
                [*machine.prefix, sys.executable, "-m", f"distributed.cli.{module}", *map(str, files), *options],
                env=os.environ
                | {"DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONPATH": str(HELPERS)}
                | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def answers_in_the_clear(address: tuple[str, int]) -> bool:
    """Returns whether something answers there without TLS, as a dashboard would."""
    connection = http.client.HTTPConnection(*address, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status > 0
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
