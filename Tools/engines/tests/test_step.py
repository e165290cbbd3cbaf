"""What engines share: a site's step, the mean, and the way back to files."""

from __future__ import annotations

import json
import os
import shutil
import time
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

from fixture import FOVEA, ROUNDS, SITES, Federation, difference, fovea, toml
from fovea_mean import Coordinator, Update, mean, shares
from fovea_step import Site, Snapshot, StepFailure

WORK = Path(os.environ["ENGINES_WORK"])


class StepTests(unittest.TestCase):
    def setUp(self) -> None:
        self.federation = Federation(WORK / "federation")
        self.work = WORK / "step" / self._testMethodName
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.base = Snapshot.read(self.federation.base)

    def site(self, name: str = "site-2", **changes: object) -> Site:
        with mock.patch.dict(os.environ, FOVEA_SITE=str(self.federation.site_file(name, self.work, **changes))):
            return Site.configured()

    def coordinator(self) -> Coordinator:
        with mock.patch.dict(os.environ, FOVEA_COORDINATOR=str(self.federation.coordinator_file(self.work))):
            return Coordinator.configured()

    def test_rounds_equal_merges_by_files_and_go_on_by_files(self) -> None:
        own, tensors = self.coordinator(), self.base.tensors
        for number in range(1, ROUNDS + 1):
            updates = [own.update(name, *self.site(name).step(tensors, number), self.base) for name in SITES]
            tensors = own.mean(updates, number)
            path = own.save(tensors, self.base, number)
            self.assertEqual(difference(path, self.federation.folder / f"files/round-{number}.safetensors"), 0)
        self.assertEqual([one.patients for one in updates], self.federation.patients())
        self.assertEqual([path.name for path in (self.work / "site-1").iterdir()], [], "a step left weights behind")
        signed = self.work / "signed.safetensors"
        fovea("parcel", "sign", path, "--key", self.federation.folder / "coordinator.key", "--out", signed)
        merged = self.federation.round_by_files(signed, ROUNDS + 1, self.work)
        manifest = json.loads(Snapshot.read(merged).manifest)
        self.assertEqual(sorted({one["site"] for one in manifest["trainingData"]} & set(SITES)), list(SITES))

    def test_refuses_what_is_not_the_base(self) -> None:
        name = sorted(self.base.tensors)[0]
        own = self.base.tensors[name]
        bad = {
            "missing or unknown": {key: value for key, value in self.base.tensors.items() if key != name},
            "as '../x'": self.base.tensors | {"../x": own},
            "found float64": self.base.tensors | {name: own.astype(np.float64)},
            "expected float32": self.base.tensors | {name: own.reshape(-1)[:3]},
            "not finite": self.base.tensors | {name: np.full_like(own, np.nan)},
            "found list": self.base.tensors | {name: own.tolist()},
        }
        for sentence, tensors in bad.items():
            with self.subTest(sentence), self.assertRaisesRegex(StepFailure, sentence):
                self.site().step(tensors, 1)
        for number in (0, True, "1", None, "../1"):
            with self.subTest(number), self.assertRaisesRegex(StepFailure, "round"):
                self.site().step(self.base.tensors, number)
        self.assertFalse((self.work / "site-2").exists())

    def test_a_failure_says_why_and_not_where(self) -> None:
        with self.assertRaises(StepFailure) as caught:
            self.site(data=self.work / "nothing").step(self.base.tensors, 1)
        self.assertEqual(str(caught.exception), "fovea: <data>: is no folder (exit code 66)")
        with self.assertRaises(StepFailure) as caught:
            self.site(fovea=self.work / "no-tool").step(self.base.tensors, 1)
        self.assertNotIn(str(self.work), str(caught.exception))

    def test_a_step_that_is_stopped_goes_on(self) -> None:
        images = 1008
        started = time.monotonic()
        with self.assertRaisesRegex(StepFailure, r"stopped at \d+ of 1008 images.*exit code 75"):
            self.site(images=images).step(self.base.tensors, 1, lambda: time.monotonic() > started + 2)
        stopped, _ = self.site(images=images).step(self.base.tensors, 1)
        whole, numbers = self.site("whole", images=images, data=self.federation.folder / "site-2").step(
            self.base.tensors, 1
        )
        self.assertEqual(numbers["images_seen"], images)
        for name in whole:
            np.testing.assert_array_equal(stopped[name], whole[name])

    def test_settings_are_known_and_absolute(self) -> None:
        for sentence, changes in {
            "script": {"script": "x"},
            "absolute": {"data": "data"},
            "type int": {"images": "many"},
            "type str": {"base": 1},
        }.items():
            with self.subTest(sentence), self.assertRaisesRegex(StepFailure, sentence):
                self.site(**changes)
        with mock.patch.dict(os.environ), self.assertRaisesRegex(StepFailure, "FOVEA_SITE is not set"):
            os.environ.pop("FOVEA_SITE", None)
            Site.configured()
        with (
            mock.patch.dict(os.environ, FOVEA_SITE=str(toml(self.work / "few.toml", {"fovea": FOVEA}))),
            self.assertRaisesRegex(StepFailure, "name"),
        ):
            Site.configured()

    def test_the_mean_needs_every_site_once_and_patients(self) -> None:
        own = self.coordinator()
        one = Update("site-1", self.base.tensors, 10)
        for updates in (
            [],
            [one],
            [one, one],
            [one, Update("site-2", self.base.tensors, 5), Update("site-3", self.base.tensors, 5)],
        ):
            with self.assertRaisesRegex(StepFailure, "expected 2 sites"):
                own.mean(updates, 1)
        for patients in (0, -5, 2.5, None, True, 10**9):
            with self.subTest(patients), self.assertRaisesRegex(StepFailure, "patients"):
                own.update("site-1", self.base.tensors, {"patients": patients}, self.base)

    def test_shares_are_capped_as_in_a_merge(self) -> None:
        for claims, cap, expected in [
            ([30, 15], 1, [2 / 3, 1 / 3]),
            ([30, 15], 0.5, [0.5, 0.5]),
            ([10, 5, 85], 0.5, [1 / 3, 1 / 6, 0.5]),
            ([60, 30, 10], 0.4, [0.4, 0.4, 0.2]),
            ([7], 0.5, [1]),
            ([1, 2, 3], 0.2, [1 / 3, 1 / 3, 1 / 3]),
        ]:
            np.testing.assert_allclose(shares(claims, cap), expected, rtol=1e-15)
        updates = [Update("b", {"w": np.float32([1, 4])}, 1), Update("a", {"w": np.float32([4, 1])}, 2)]
        np.testing.assert_array_equal(mean(updates, 1)["w"], np.float32([3, 2]))
        np.testing.assert_array_equal(mean(updates[::-1], 1)["w"], np.float32([3, 2]))


if __name__ == "__main__":
    unittest.main()
