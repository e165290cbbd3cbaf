"""Datasets for PyTorch, in this process and in workers that are forked or spawned."""

import pickle
import unittest

import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase

torch = fixtures.optional("torch")


def inverted(image):
    """A transform that workers can be given."""
    return 255 - image


@unittest.skipIf(torch is None, "PyTorch is not installed")
class TorchTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.set = fixtures.write(self.path())
        self.pixels = fixtures.pixels()

    def test_items(self):
        data = fovea_samples.torch_dataset(self.set, ("dr_icdr", "sex"))
        self.assertIsInstance(data, fovea_samples.FoveaDataset)
        self.assertIsInstance(data, torch.utils.data.Dataset)
        self.assertEqual(len(data), 12)
        image, labels = data[3]
        self.equal(image.numpy(), self.pixels[3].transpose(2, 0, 1).astype(np.float32) / np.float32(255))
        self.assertTrue(image.is_contiguous())
        self.assertEqual(labels, {"dr_icdr": 4, "sex": 0})
        self.assertEqual(len(list(data)), 12)

    def test_transform(self):
        data = fovea_samples.torch_dataset(self.set, "dr_icdr", inverted)
        self.equal(data[-1][0], 255 - self.pixels[-1])
        self.assertEqual(data[-1][1], {"dr_icdr": -2})

    def test_a_view_outlives_the_set(self):
        with fovea_samples.open(self.set) as samples:
            data = fovea_samples.torch_dataset(samples.filter(sex="male"))
        self.assertEqual([labels["dr_icdr"] for _, labels in data], [3, -2, -2, 1])
        self.equal(pickle.loads(pickle.dumps(data))[1][0].numpy(), data[1][0].numpy())

    def test_refused(self):
        with self.assertRaisesRegex(SampleSetError, "found grade"):
            fovea_samples.torch_dataset(self.set, ["grade"])
        with self.assertRaisesRegex(TypeError, "expected a sample set or a path, found int"):
            fovea_samples.torch_dataset(3)

    def test_workers(self):
        sharded = fixtures.write_sharded(self.folder)
        for path in (self.set, sharded):
            for method in ("fork", "spawn"):
                with self.subTest(method=method, path=path), fovea_samples.open(path) as samples:
                    samples[0]
                    data = fovea_samples.torch_dataset(samples, ["dr_icdr"], inverted)
                    data[0]  # open in the parent, too, so that forked workers inherit it
                    loader = torch.utils.data.DataLoader(
                        data, batch_size=2, num_workers=2, multiprocessing_context=method
                    )
                    for _ in range(2 if method == "fork" else 1):
                        batches = list(loader)
                        self.equal(np.concatenate([images.numpy() for images, _ in batches]), 255 - self.pixels)
                        self.assertEqual(
                            np.concatenate([labels["dr_icdr"] for _, labels in batches]).tolist(), fixtures.DR_ICDR
                        )
                    self.equal(samples[5], self.pixels[5])
