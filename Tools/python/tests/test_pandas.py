"""Tables."""

import hashlib
import unittest

import numpy as np

import fovea_samples

from . import fixtures
from .fixtures import FolderCase

pandas = fixtures.optional("pandas")


@unittest.skipIf(pandas is None, "pandas is not installed")
class PandasTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.samples = fovea_samples.open(fixtures.write(self.path()))
        self.addCleanup(self.samples.close)

    def test_columns(self):
        table = self.samples.to_pandas()
        self.assertEqual(len(table), 12)
        requests = [f"{name}_request" for name in ("dr_icdr", "dme", "age_band", "quality")]
        self.assertEqual(
            list(table),
            [
                *sorted(fixtures.NAMES),
                *requests,
                "seed",
                "index",
                "run",
                "digest",
                "model",
                "site_weight_alpha",
                "site_weight_beta",
            ],
        )
        self.assertEqual(list(table["dr_icdr"]), self.samples.cohorts["dr_icdr"].tolist())
        self.assertEqual(list(table["dr_icdr"].cat.categories)[:6], fixtures.NAMES["dr_icdr"])
        self.equal(table["dr_icdr_request"].to_numpy(), np.float32(fixtures.DR_REQUEST))
        self.assertEqual((table["seed"][0], table["index"][11]), (2**63 + 1, 111))
        self.assertEqual(table["digest"][5], hashlib.sha256(fixtures.pixels()[5].tobytes()).hexdigest())
        self.assertEqual(list(table["model"]), fixtures.MODELS * 6)
        self.assertEqual((table["site_weight_alpha"][2], table["site_weight_beta"][2]), (0.25, 0.75))

    def test_views(self):
        table = self.samples.filter(sex="male").to_pandas()
        self.assertEqual(list(table["index"]), [101, 104, 109, 110])
        self.assertEqual(list(table["dr_icdr"]), ["3", "2.5", "0.1", "1"])
        self.assertEqual(
            list(table["model"]), [fixtures.MODELS[1], fixtures.MODELS[0], fixtures.MODELS[1], fixtures.MODELS[0]]
        )
        self.assertEqual(list(table.index), [0, 1, 2, 3])
