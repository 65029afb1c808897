"""The real processes of an installation: started as an administrator would, killed as a power cut would."""

import http.client
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import PATIENCE
from tests.engines import free_port


@dataclass
class Processes:
    """`gandan serve` with its workers and `gandan work`, over one home."""

    environment: dict[str, str]
    log: Path
    workers: int = 2
    threads: int = 2
    working: bool = True
    every: int = 1
    url: str = ""
    serving_command: list[str] | None = None
    """Another way to serve the same pages, for controls that `gandan serve` rightly refuses."""
    serve: subprocess.Popen[bytes] | None = field(default=None, init=False)
    work: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.url = self.url or f"http://127.0.0.1:{free_port()}"
        self.environment = self.environment | {"GANDAN_URL": self.url}

    def start(self) -> None:
        """Start what is not running, and return when pages are answered."""
        if self.serve is None or self.serve.poll() is not None:
            self._serve()
        if self.working and (self.work is None or self.work.poll() is not None):
            self._work()
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.answers():
                return
            if self.serve is None or self.serve.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text(errors='replace')[-4000:]}")

    def answers(self) -> bool:
        asked = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            asked.request("GET", "/follow/")
            return asked.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def web_workers(self) -> list[int]:
        if self.serve is None:
            return []
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.serve.pid)], capture_output=True, text=True, check=False
        )
        return [int(each) for each in listed.stdout.split()]

    def revive(self) -> None:
        """Start again what has ended, as the machine's service manager would; do not wait for it."""
        if self.serve is not None and self.serve.poll() is not None:
            self._serve()
        if self.work is not None and self.work.poll() is not None:
            self._work()

    @staticmethod
    def kill_group(process: subprocess.Popen[bytes]) -> None:
        """Kill a program and all that it started, without a word."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def cut(self) -> None:
        """Kill everything at once, without a word."""
        for process in (self.serve, self.work):
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for process in (self.serve, self.work):
            if process is not None:
                process.wait()

    def stop(self) -> None:
        """Ask everything to end, and see that it does."""
        for process in (self.serve, self.work):
            if process is not None and process.poll() is None:
                process.terminate()
        for process in (self.serve, self.work):
            if process is None:
                continue
            try:
                process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.serve = self.work = None

    def _serve(self) -> None:
        port = str(urlsplit(self.url).port)
        usual = ["serve", "--demo", "--port", port, "--workers", str(self.workers), "--threads", str(self.threads)]
        command = self.serving_command or [sys.executable, "-m", "gandan", *usual]
        self.serve = self._spawn([part.replace("{port}", port) for part in command])

    def _work(self) -> None:
        self.work = self._spawn([sys.executable, "-m", "gandan", "work", "--every", str(self.every)])

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
