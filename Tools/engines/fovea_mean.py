"""The coordinator's part, for a federation engine: the mean of the sites' weights by patients, as `fovea merge` takes
it.

Its paths come from the coordinator's own file (environment variable FOVEA_COORDINATOR).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fovea_step import Snapshot, StepFailure, Tensors, absolute, patients, settings


@dataclass(frozen=True)
class Update:
    """What one site sent in a round."""

    site: str
    tensors: Tensors
    patients: int


@dataclass(frozen=True)
class Coordinator:
    """What the coordinator says, in the file that FOVEA_COORDINATOR names."""

    base: Path
    out: Path
    sites: int
    rounds: range
    largest_share: float
    timeout: int

    @classmethod
    def configured(cls) -> Coordinator:
        values = {"largest_share": 0.5, "timeout": 86_400, "first_round": 1} | settings(
            "FOVEA_COORDINATOR",
            {"base": str, "out": str, "sites": int, "rounds": int},
            {"largest_share": float, "timeout": int, "first_round": int},
        )
        base, out = (absolute("FOVEA_COORDINATOR", key, values[key]) for key in ("base", "out"))
        for key in ("sites", "rounds", "timeout", "first_round"):
            if values[key] < 1:
                raise StepFailure(f"FOVEA_COORDINATOR: {key}: expected at least 1")
        if not 0 < values["largest_share"] <= 1:
            raise StepFailure("FOVEA_COORDINATOR: largest_share: expected more than 0, at most 1")
        rounds = range(values["first_round"], values["first_round"] + values["rounds"])
        return cls(base, out, values["sites"], rounds, values["largest_share"], values["timeout"])

    def update(self, site: str, tensors: dict[str, object], numbers: dict, base: Snapshot) -> Update:
        """What a site sent, checked."""
        return Update(site, base.accept(tensors, site), patients(numbers, site))

    def mean(self, updates: list[Update], round_number: int) -> Tensors:
        """The mean of a round; every site has to be there."""
        if len(updates) != self.sites or len({one.site for one in updates}) != self.sites:
            names = ", ".join(sorted(one.site for one in updates)) or "none"
            raise StepFailure(f"round {round_number}: expected {self.sites} sites, found {names}")
        return mean(updates, self.largest_share)

    def save(self, tensors: Tensors, base: Snapshot, round_number: int) -> Path:
        """Writes a round's mean as a snapshot that says what it is made of: nobody signed for it, and nobody audited
        it."""
        base.accept(dict(tensors), "the mean")
        manifest = json.loads(base.manifest)
        manifest["parents"] = [hashlib.sha256(self.base.read_bytes()).hexdigest(), *manifest["parents"]]
        manifest["unaudited"] = (
            f"the mean of {self.sites} sites in round {round_number} of an engine, without their statements"
        )
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"round-{round_number}.safetensors"
        Snapshot(tensors, json.dumps(manifest, sort_keys=True)).write(path)
        return path


def mean(updates: list[Update], largest_share: float) -> Tensors:
    """Weighted by patients; in float64, in the order of the sites' names, rounded once."""
    ordered = sorted(updates, key=lambda one: one.site)
    weights = shares([one.patients for one in ordered], largest_share)
    result: Tensors = {}
    for name, first in ordered[0].tensors.items():
        total = np.zeros(first.shape, np.float64)
        for one, weight in zip(ordered, weights):
            total += weight * one.tensors[name].astype(np.float64)
        result[name] = total.astype(np.float32)
    return result


def shares(claims: list[int], cap: float) -> list[float]:
    """Shares that follow the claims, none above the cap: what is cut goes to the others. Where the caps together allow
    less than all, shares are equal."""
    if cap * len(claims) <= 1:
        return [1 / len(claims)] * len(claims)
    capped: set[int] = set()
    while True:
        total = sum(claim for place, claim in enumerate(claims) if place not in capped)
        rest = 1 - cap * len(capped)
        result = [cap if place in capped else claim / total * rest for place, claim in enumerate(claims)]
        above = {place for place, share in enumerate(result) if share > cap and place not in capped}
        if not above:
            return result
        capped |= above
