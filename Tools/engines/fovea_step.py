"""One site's step of Fovea, for a federation engine: named float32 tensors in, named float32 tensors and numbers out.

Every path and the architecture come from the site's own file (environment variable FOVEA_SITE); an engine sends numbers
only.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tomllib
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

Tensors = dict[str, np.ndarray]

MOST_PATIENTS = 10_000_000
"""More than any site has; `fovea merge` refuses more, too."""

NUMBERS = ("patients", "images_seen", "loss", "validation_loss_before", "validation_loss")
"""Metrics that go to the engine: no names, no digests."""


class StepFailure(RuntimeError):
    """Why a step did not come to its end, in one sentence without the site's folders."""


@dataclass(frozen=True)
class Snapshot:
    """Weights as float32, and the manifest that says what they are."""

    tensors: Tensors
    manifest: str

    @classmethod
    def read(cls, path: Path) -> Snapshot:
        """Reads a snapshot of float32 or float16."""
        try:
            with safe_open(path, framework="numpy") as file:
                manifest = (file.metadata() or {}).get("fovea")
                tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        except (OSError, SafetensorError, TypeError) as error:
            raise StepFailure(f"{path}: cannot be read: {error}") from error
        if manifest is None:
            raise StepFailure(f"{path}: has no manifest of Fovea")
        if other := sorted({str(t.dtype) for t in tensors.values()} - {"float16", "float32"}):
            raise StepFailure(f"{path}: expected float32 or float16, found {', '.join(other)}")
        return cls({name: t.astype(np.float32) for name, t in tensors.items()}, manifest)

    def write(self, path: Path) -> None:
        """Writes float32; a file of the name is replaced at once."""
        staged = path.with_name(path.name + ".part")
        save_file(
            {name: np.ascontiguousarray(t) for name, t in self.tensors.items()},
            staged,
            metadata={"fovea": self.manifest},
        )
        os.replace(staged, path)

    def accept(self, tensors: dict[str, object], source: str) -> Tensors:
        """The tensors, if they have this snapshot's names and shapes, are float32 and finite."""
        if names := set(tensors) ^ set(self.tensors):
            raise StepFailure(f"{source}: {len(names)} tensors are missing or unknown, as {min(names)!r:.100}")
        for name, own in self.tensors.items():
            found = tensors[name]
            if not isinstance(found, np.ndarray) or found.dtype != np.float32 or found.shape != own.shape:
                sort = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
                raise StepFailure(f"{source}: {name}: expected float32 {own.shape}, found {sort}")
            if not np.isfinite(found).all():
                raise StepFailure(f"{source}: {name}: has numbers that are not finite")
        return {name: tensors[name] for name in self.tensors}


def settings(variable: str, required: dict[str, type], optional: dict[str, type]) -> dict:
    """The TOML file that an environment variable names, with these keys and no others."""
    path = os.environ.get(variable)
    if not path:
        raise StepFailure(f"{variable} is not set: the path of a TOML file with {', '.join(required)}")
    try:
        values = tomllib.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise StepFailure(f"{variable}: {path}: cannot be read: {error}") from error
    known = required | optional
    for key in [*required, *values]:
        if key not in known:
            raise StepFailure(f"{variable}: {key}: is no setting; known are {', '.join(known)}")
        if key not in values or isinstance(values[key], bool) or not isinstance(values[key], known[key]):
            raise StepFailure(f"{variable}: {key}: expected a value of type {known[key].__name__}")
    return values


def absolute(variable: str, key: str, text: str) -> Path:
    """A path that does not depend on where an engine runs."""
    if not os.path.isabs(text):
        raise StepFailure(f"{variable}: {key}: expected an absolute path")
    return Path(text)


@dataclass(frozen=True)
class Site:
    """What a site says of itself, in the file that FOVEA_SITE names."""

    name: str
    fovea: Path
    base: Path
    data: Path
    work: Path
    options: tuple[str, ...]

    @classmethod
    def configured(cls) -> Site:
        values = settings(
            "FOVEA_SITE",
            {"name": str, "fovea": str, "base": str, "data": str, "work": str},
            {"images": int, "threads": int},
        )
        paths = [absolute("FOVEA_SITE", key, values[key]) for key in ("fovea", "base", "data", "work")]
        options = [text for key in ("images", "threads") if key in values for text in (f"--{key}", str(values[key]))]
        return cls(values["name"], *paths, tuple(options))

    def step(
        self, received: dict[str, object], round_number: int, stopped: Callable[[], bool] = lambda: False
    ) -> tuple[Tensors, dict[str, float]]:
        """Trains on the site's data, from the weights received, until `stopped` says so.

        A step that was stopped goes on where the same weights come again for the same round.
        """
        if isinstance(round_number, bool) or not isinstance(round_number, int) or round_number < 1:
            raise StepFailure("the round is no number above 0")
        try:
            base = Snapshot.read(self.base)
            start = Snapshot(base.accept(received, "from the engine"), base.manifest)
            folder = self.work / f"round-{round_number}-{digest(start.tensors)[:16]}"
            folder.mkdir(parents=True, exist_ok=True)
            begin, end, metrics = (folder / name for name in ("in.safetensors", "out.safetensors", "metrics.json"))
            start.write(begin)
            self.run(
                [
                    "federate-step",
                    "--init",
                    begin,
                    "--out",
                    end,
                    "--metrics",
                    metrics,
                    "--data",
                    self.data,
                    "--round",
                    round_number,
                    "--force",
                ],
                stopped,
            )
            trained = base.accept(dict(Snapshot.read(end).tensors), "from fovea federate-step")
            numbers = checked(json.loads(metrics.read_text()), round_number)
            shutil.rmtree(folder)
        except (OSError, ValueError, StepFailure) as error:
            raise StepFailure(self.without_folders(str(error))) from error
        return trained, numbers

    def run(self, arguments: list[object], stopped: Callable[[], bool]) -> None:
        """Runs the tool; its last sentence is the reason where it fails. It does not outlive this call."""
        command = [str(self.fovea), *map(str, arguments), *self.options, "--quiet"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        try:
            while True:
                try:
                    _, messages = process.communicate(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    if stopped():
                        process.terminate()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode != 0:
            lines = messages.strip().splitlines() or ["no message"]
            raise StepFailure(f"{lines[-1]} (exit code {process.returncode})")

    def without_folders(self, sentence: str) -> str:
        """What leaves the site says nothing of its folders."""
        names = sorted(("fovea", "base", "data", "work"), key=lambda name: -len(str(getattr(self, name))))
        for name in names:
            sentence = sentence.replace(str(getattr(self, name)), f"<{name}>")
        return sentence


def digest(tensors: Tensors) -> str:
    """SHA-256 of the numbers, in the order of the names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(np.ascontiguousarray(tensors[name]).tobytes())
    return total.hexdigest()


def checked(metrics: dict, round_number: int) -> dict[str, float]:
    """The numbers of a step's metrics that go to the engine."""
    if metrics.get("round") != round_number:
        raise StepFailure(f"metrics: expected round {round_number}, found {metrics.get('round')}")
    numbers = {key: metrics[key] for key in NUMBERS if metrics.get(key) is not None}
    if other := [
        key
        for key, value in numbers.items()
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value)
    ]:
        raise StepFailure(f"metrics: {other[0]}: is no finite number")
    patients(numbers, "metrics")
    return numbers


def patients(numbers: dict, source: str) -> int:
    """How many patients a site trained on: more than none, and no more than any site has."""
    count = numbers.get("patients")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_PATIENTS:
        raise StepFailure(f"{source}: patients: expected 1 to {MOST_PATIENTS}, found {count!r:.40}")
    return count
