"""Two unequal sites of phantoms, and two rounds merged by files, to compare an engine's rounds with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np

from fovea_step import Snapshot

FOVEA = Path(os.environ["FOVEA"]).resolve()
ENGINES = Path(__file__).resolve().parent.parent
SITES = ("site-1", "site-2")
IMAGES = 64
ROUNDS = 2


def fovea(*arguments: object) -> None:
    """Runs the tool; its messages are shown where it fails."""
    result = subprocess.run([str(FOVEA), *map(str, arguments), "--quiet"], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"fovea {arguments[0]}: exit code {result.returncode}: {result.stderr}")


class Federation:
    """Its folder: `base.safetensors`, `site-1/`, `site-2/` with a data set each, and `files/round-N.safetensors`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base = folder / "base.safetensors"
        if not (folder / "files" / f"round-{ROUNDS}.safetensors").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self.prepare()
            self.merge_by_files()

    def prepare(self) -> None:
        start = self.folder / "start"
        start.mkdir()
        fovea("phantom", "--count", 60, "--size", 32, "--seed", 1, "--out", start / "p.h5")
        fovea(
            "train", "--data", start / "p.h5", "--out", start / "run", "--preset", "tiny", "--size", 32, "--images", 64
        )
        # A simulation deals the phantoms out to two sites of different names.
        fovea(
            "simulate",
            "--sites",
            2,
            "--rounds",
            1,
            "--images",
            16,
            "--draws",
            1,
            "--only-merged",
            "--data",
            start / "p.h5",
            "--base",
            start / "run/snapshot.safetensors",
            "--out",
            start / "sites",
        )
        for name in SITES:
            (self.folder / name).mkdir()
            shutil.copy(start / f"sites/sites/{name}.h5", self.folder / name)
            fovea("parcel", "keygen", "--out", self.folder / f"{name}.key")
        fovea("parcel", "keygen", "--out", self.folder / "coordinator.key")
        fovea(
            "parcel",
            "sign",
            start / "run/snapshot.safetensors",
            "--key",
            self.folder / "coordinator.key",
            "--out",
            self.base,
        )
        members = [
            f"  - {{name: {name}, key: {self.public(name)}, from: 2000-01-01, until: 2999-12-31, "
            "unaudited: true, largestShare: 1}"
            for name in SITES
        ]
        trust = (
            f"version: 1\nproject: engines\ncoordinator: {self.public('coordinator')}\nmembers:\n"
            + "\n".join(members)
            + "\n"
        )
        (self.folder / "TRUST.yaml").write_text(trust)
        fovea("parcel", "trust", self.folder / "TRUST.yaml", "--key", self.folder / "coordinator.key")

    def public(self, name: str) -> str:
        """The key itself: the last line of its file."""
        return (self.folder / f"{name}.key.pub").read_text().split()[-1]

    def merge_by_files(self) -> None:
        files = self.folder / "files"
        files.mkdir()
        base = self.base
        for number in range(1, ROUNDS + 1):
            base = self.round_by_files(base, number, files)

    def round_by_files(self, base: Path, number: int, folder: Path) -> Path:
        """Each site's step, its parcel, and their merge: a signed snapshot."""
        parcels = []
        for name in SITES:
            stem = folder / f"{name}-{number}"
            fovea(
                "federate-step",
                "--init",
                base,
                "--out",
                f"{stem}.safetensors",
                "--metrics",
                f"{stem}.json",
                "--data",
                self.folder / name,
                "--round",
                number,
                "--images",
                IMAGES,
            )
            parcels.append(f"{stem}.parcel")
            fovea(
                "parcel",
                "seal",
                f"{stem}.safetensors",
                "--key",
                self.folder / f"{name}.key",
                "--site",
                name,
                "--round",
                number,
                "--purpose",
                "DUO:0000042",
                "--out",
                parcels[-1],
            )
        merged = folder / f"round-{number}.safetensors"
        fovea(
            "merge",
            *parcels,
            "--base",
            base,
            "--trust",
            self.folder / "TRUST.yaml",
            "--key",
            self.folder / "coordinator.key",
            "--round",
            number,
            "--out",
            merged,
        )
        return merged

    def site_file(self, name: str, work: Path, **changes: object) -> Path:
        """A site's configuration."""
        values = {
            "name": name,
            "fovea": FOVEA,
            "base": self.base,
            "data": self.folder / name,
            "work": work / name,
            "images": IMAGES,
            "threads": 1,
        } | changes
        return toml(work / f"{name}.toml", values)

    def coordinator_file(self, work: Path, **changes: object) -> Path:
        """The coordinator's configuration; as in its list of trust, no share is capped."""
        values = {
            "base": self.base,
            "out": work / "out",
            "sites": 2,
            "rounds": ROUNDS,
            "largest_share": 1.0,
            "timeout": 300,
        }
        return toml(work / "coordinator.toml", values | changes)

    def patients(self) -> list[int]:
        return [json.loads((self.folder / f"files/{name}-1.json").read_text())["patients"] for name in SITES]


def toml(path: Path, values: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(
            f"{key} = {json.dumps(str(value) if isinstance(value, Path) else value)}\n" for key, value in values.items()
        )
    )
    return path


def difference(one: Path, other: Path) -> float:
    """The largest relative difference of a tensor, in l2."""
    a, b = Snapshot.read(one).tensors, Snapshot.read(other).tensors
    assert a.keys() == b.keys()
    return max(
        float(np.linalg.norm((a[n] - b[n]).astype(np.float64)) / max(np.linalg.norm(b[n].astype(np.float64)), 1e-30))
        for n in a
    )
