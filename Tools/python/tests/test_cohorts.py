"""Filters, names, counts and provenance."""

import hashlib
import json

import h5py
import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase
from .test_open import replaced


class CohortTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.samples = fovea_samples.open(fixtures.write(self.path()))
        self.addCleanup(self.samples.close)

    def test_filters(self):
        for conditions, rows in [
            ({"dr_icdr": "3"}, [1, 2, 8]),
            ({"dr_icdr": 3}, [1, 2, 8]),
            ({"dr_icdr": np.int64(3)}, [1, 2, 8]),
            ({"dr_icdr": 3.0}, [1, 2, 8]),
            ({"dr_icdr": 2.5}, [4]),
            ({"dr_icdr": "2.5"}, [4]),
            ({"dr_icdr": 0.1}, [9]),  # not a float32
            ({"dr_icdr": [2.5, "4", 0]}, [0, 3, 4]),
            ({"dr_icdr": np.array([1, 4])}, [3, 10]),
            ({"dr_icdr": (n for n in "34")}, [1, 2, 3, 8]),
            ({"dr_icdr": 2}, []),
            ({"dr_icdr": []}, []),
            ({"dr_icdr": "ungradable"}, [5]),
            ({"dr_icdr": "unknown"}, [6]),
            ({"dr_icdr": "unspecified"}, [7, 11]),
            ({"sex": {"female", "male"}}, [0, 1, 3, 4, 7, 8, 9, 10, 11]),
            ({"sex": "unspecified"}, [6]),
            ({"dr_icdr": ["3", "4"], "sex": "female"}, [3, 8]),
            ({"camera": "Zeiss"}, [1, 3, 5, 7, 9, 11]),
            ({}, list(range(12))),
        ]:
            with self.subTest(conditions):
                view = self.samples.filter(**conditions)
                self.equal(view.rows, np.array(rows, np.int64))
                self.assertEqual(len(view), len(rows))

    def test_filters_of_filters(self):
        view = self.samples.filter(sex=["female", "male"]).filter(dr_icdr=["3", "1", "unspecified"])
        self.equal(view.rows, np.int64([1, 7, 8, 10, 11]))
        self.equal(view.filter(sex="male").rows, np.int64([1, 10]))
        self.assertEqual(view.filter(sex="male").counts("dr_icdr"), {"1": 1, "3": 1})

    def test_numbers_on_a_line_of_ranges(self):
        ages = np.full(12, -2, np.int16)
        ages[[2, 5]] = 3, 4
        requests = np.full(12, np.nan, np.float32)
        requests[[2, 9]] = 3, 3.5

        def edit(file):
            file["cohort/age_band"][:] = ages
            file["cohort_request/age_band"][:] = requests

        with fovea_samples.open(fixtures.write(self.path("ages.h5"), edit)) as samples:
            for value, rows in (("30-39", [2]), (3, [2]), (4, [5]), (3.5, [9])):
                self.assertEqual(samples.filter(age_band=value).rows.tolist(), rows)
            self.assertEqual(samples.counts("age_band"), {"30-39": 1, "40-49": 1, "unspecified": 9, "3.5": 1})

    def test_refused(self):
        grades = (
            "dr_icdr: expected one of 0, 1, 2, 3, 4, ungradable, unspecified, unknown or a number from 0 to 4, found "
        )
        for conditions, sentence in [
            ({"grade": 3}, "attribute of the cohort: expected one of age_band, camera, .*, found grade"),
            ({"dr_icdr": "severe"}, grades + "'severe'"),
            ({"dr_icdr": 5}, grades + "5"),
            ({"dr_icdr": -2}, grades + "-2"),
            ({"dr_icdr": "nan"}, grades + "'nan'"),
            ({"dr_icdr": True}, grades + "True"),
            ({"dr_icdr": None}, grades + "None"),
            ({"dr_icdr": ["3", "severe"]}, grades + "'severe'"),
            ({"sex": "Female"}, "sex: expected one of female, male, other, unspecified, unknown, found 'Female'"),
            ({"sex": 0}, "sex: expected one of female, male, other, unspecified, unknown, found 0"),
        ]:
            with self.subTest(conditions), self.assertRaisesRegex(SampleSetError, self.path() + ": " + sentence + "$"):
                self.samples.filter(**conditions)
        for use in (self.samples.counts, self.samples.codes):
            with self.assertRaisesRegex(SampleSetError, "expected one of age_band, camera, .*, found grade"):
                use("grade")

    def test_a_code_without_name(self):
        def edit(file):
            file["cohort/dr_icdr"][3] = 9

        with fovea_samples.open(fixtures.write(self.path("9.h5"), edit)) as samples:
            with self.assertRaisesRegex(SampleSetError, "/cohort/dr_icdr: expected codes that have a name, found 9"):
                samples.counts("dr_icdr")

    def test_names(self):
        names = ["0", "3", "3", "4", "2.5", "ungradable", "unknown", "unspecified", "3", "0.1", "1", "unspecified"]
        self.assertEqual(self.samples.cohorts["dr_icdr"].tolist(), names)
        self.assertEqual(self.samples.cohorts["site"].tolist(), ["unspecified"] * 12)
        self.assertEqual(list(self.samples.cohorts), list(self.samples.attributes))
        self.assertEqual(self.samples.cohort(4), {"camera": "Canon", "dr_icdr": "2.5", "sex": "male"})
        self.assertEqual(self.samples.cohort(6), {"camera": "Canon", "dr_icdr": "unknown"})
        self.assertEqual(self.samples.cohort(-1), {"camera": "Zeiss", "sex": "female"})
        for i in range(12):
            self.assertEqual(self.samples.cohort(i).get("dr_icdr", "unspecified"), names[i])
        self.equal(self.samples.requests["dr_icdr"], np.float32(fixtures.DR_REQUEST))
        self.equal(self.samples.codes("dr_icdr"), np.int16(fixtures.DR_ICDR))

    def test_counts(self):
        self.assertEqual(
            list(self.samples.counts("dr_icdr").items()),
            [
                ("0", 1),
                ("1", 1),
                ("3", 3),
                ("4", 1),
                ("ungradable", 1),
                ("unspecified", 2),
                ("unknown", 1),
                ("0.1", 1),
                ("2.5", 1),
            ],
        )
        self.assertEqual(self.samples.filter(sex="male").counts("dr_icdr"), {"1": 1, "3": 1, "0.1": 1, "2.5": 1})

    def test_views(self):
        view = self.samples.filter(sex="male")
        self.assertEqual(view.cohorts["dr_icdr"].tolist(), ["3", "2.5", "0.1", "1"])
        self.assertEqual(view.cohort(1)["dr_icdr"], "2.5")
        self.equal(view.requests["dr_icdr"], np.float32([3, 2.5, 0.1, 1]))
        self.equal(view.column("index"), np.uint64([101, 104, 109, 110]))

    def test_what_is_handed_out_is_a_copy(self):
        for samples in (self.samples, self.samples.filter(sex="male")):
            samples.codes("sex")[:] = 2
            samples.rows[:] = 0
            self.assertEqual(samples.cohort(0)["sex"], samples.cohorts["sex"][0])
            self.assertIn(samples.cohort(0)["sex"], ("female", "male"))
            self.assertEqual(samples.rows[-1] > 0, True)

    def test_provenance(self):
        for i in (3, -9):
            found = self.samples.provenance(i)
            self.assertEqual((found["seed"], found["index"]), (2**63 + 1, 103))
            self.assertIs(type(found["seed"]), int)
            self.assertEqual(found["digest"], hashlib.sha256(fixtures.pixels()[3].tobytes()).hexdigest())
            self.assertEqual(
                found["run"],
                {
                    "model_digest": "b" * 64,
                    "sampler": "dpmpp",
                    "steps": 12,
                    "guidance": 1.5,
                    "tool_version": "0.1.0",
                    "openblas_version": "0.3.21",
                    "blas_core": "Haswell",
                    "kernel_isa": "v3",
                    "started": "2026-01-31T12:00:00Z",
                    "finished": "2026-01-31T12:30:00Z",
                    "schedule": {
                        "kind": "karras",
                        "steps": 18,
                        "sigma_min": 0.002,
                        "sigma_max": 80,
                        "rho": 7,
                        "evaluations": 35,
                    },
                    "warnings": {},
                },
            )
            self.assertEqual(
                found["model"],
                {
                    "digest": "b" * 64,
                    "manifest": {"imagesSeen": 80000, "licence": "CC BY 4.0"},
                    "lineage": {"model": "b" * 64, "sites": ["alpha", "beta"]},
                    "prov": {"entity": {}},
                },
            )
            self.assertEqual(found["site_weights"], {"alpha": 0.25, "beta": 0.75})
            self.assertEqual((found["synthetic"], found["digital_source_type"]), (True, fixtures.IPTC))
            self.assertEqual((found["licence"], found["attribution"]), ("CC BY 4.0", "Nobody"))
        self.assertEqual(self.samples.filter(sex="male").provenance(1)["index"], 104)

    def test_json_that_is_none(self):
        path = fixtures.write(self.path("json.h5"), replaced("models/" + "a" * 64 + "/manifest", "{"))
        with fovea_samples.open(path) as samples:
            self.assertEqual(samples.provenance(1)["model"]["digest"], "b" * 64)
            with self.assertRaisesRegex(SampleSetError, "/models/a*/manifest: expected JSON"):
                samples.provenance(0)

    def test_a_joined_request_and_warnings(self):
        def edit(file):
            texts = h5py.string_dtype("utf-8")
            file.create_dataset("provenance/joined_requests", data=["dr_icdr=3|4"], dtype=texts)
            file["provenance/joined"] = np.int32([-1, 0, 0, 0] + [-1] * 8)
            file.create_dataset("runs/warnings", data=["", json.dumps({"small_cohorts": ["dr_icdr=4"]})], dtype=texts)

        with fovea_samples.open(fixtures.write(self.path("joined.h5"), edit)) as samples:
            self.assertEqual([samples.provenance(i)["asked"] for i in (0, 3)], [None, "dr_icdr=3|4"])
            self.assertEqual(samples.provenance(1)["run"]["warnings"], {"small_cohorts": ["dr_icdr=4"]})
            self.assertEqual(samples.provenance(0)["run"]["warnings"], {})
        self.assertIsNone(self.samples.provenance(3)["asked"])
        self.assertEqual(self.samples.provenance(1)["run"]["warnings"], {})

    def test_a_joined_request_that_is_none(self):
        def edit(file):
            file.create_dataset("provenance/joined_requests", data=["dr_icdr=3|4"], dtype=h5py.string_dtype("utf-8"))
            file["provenance/joined"] = np.full(12, 1, np.int32)

        with fovea_samples.open(fixtures.write(self.path("joined.h5"), edit)) as samples:
            with self.assertRaisesRegex(SampleSetError, "/provenance/joined of row 2: expected -1 to 0, found 1"):
                samples.provenance(2)
