"""Processes of a test, and a free port of loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class Processes:
    """Started in groups of their own; stopped, with what they started, when the test ends."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, name: str, command: list[object], environment: dict[str, object]) -> None:
        with open(self.logs / f"{name}.log", "w") as log:
            self.running[name] = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={key: str(value) for key, value in environment.items()},
                cwd=self.logs,
            )

    def stop(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for process in self.running.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
            deadline = time.monotonic() + 10
            while any(process.poll() is None for process in self.running.values()) and time.monotonic() < deadline:
                time.sleep(0.1)

    def text(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text(errors="replace")

    def wait_for(self, what: str, condition: Callable[[], bool], seconds: float = 60, every: float = 0.3) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(f"== {name}\n{self.text(name)[-3000:]}" for name in self.running)
                raise TimeoutError(f"{what}: not within {seconds} s\n{logs}")
            time.sleep(every)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def call(
    command: list[object], environment: dict[str, object], folder: Path, seconds: float = 120
) -> subprocess.CompletedProcess:
    """A command that ends by itself."""
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=seconds,
        env={key: str(value) for key, value in environment.items()},
    )
