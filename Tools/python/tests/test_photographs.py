"""Data sets of photographs, and photographs and samples together."""

import pickle
import unittest

import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase

torch = fixtures.optional("torch")


class PhotographTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.photographs = fovea_samples.open(fixtures.write_photographs(self.path("photographs.h5")))
        self.addCleanup(self.photographs.close)
        self.samples = fovea_samples.open(fixtures.write(self.path()))
        self.addCleanup(self.samples.close)

    def test_photographs(self):
        pixels = fixtures.photographs()
        self.assertIsInstance(self.photographs, fovea_samples.PhotographSet)
        self.assertEqual(len(self.photographs), fixtures.PHOTOGRAPHS)
        self.equal(self.photographs[3], pixels[3])
        self.equal(self.photographs.images([5, 0, -1]), pixels[[5, 0, -1]])
        self.assertEqual(self.photographs.cohort(4), {"dr_icdr": "4", "camera": "Zeiss"})
        self.assertEqual(self.photographs.counts("camera"), {"Zeiss": 13, "Canon": 14, "unknown": 13})
        severe = self.photographs.filter(dr_icdr=[3, 4]).split("holdout")
        self.assertEqual(set(severe.codes("dr_icdr").tolist()), {3, 4})
        self.assertEqual(set(severe.splits.tolist()), {"holdout"})
        self.equal(severe[0], pixels[severe.rows[0]])
        self.photographs.verify()
        with self.assertRaises(IndexError):
            self.photographs.image(40)

    def test_a_changed_pixel_is_found(self):
        def edit(file):
            file["images"][7, 0, 0, 0] ^= 1

        with fovea_samples.open(fixtures.write_photographs(self.path("changed.h5"), edit)) as changed:
            with self.assertRaisesRegex(SampleSetError, "others in row 7"):
                changed.verify()

    def test_a_patient_in_two_splits_is_refused(self):
        def edit(file):
            file["split"][1] = 2

        with self.assertRaisesRegex(SampleSetError, "/split of patient p0: expected one split, found two"):
            fovea_samples.open(fixtures.write_photographs(self.path("mixed.h5"), edit))

    def test_the_splits_stay_and_samples_go_to_training_alone(self):
        both = fovea_samples.RealAndSynthetic(self.photographs, self.samples.filter(dr_icdr=[0, 1, 3, 4]))
        parts = {"train": both.train, "validation": both.validation, "holdout": both.holdout}
        patients = {name: {p for p in part.patients if p is not None} for name, part in parts.items()}
        self.assertEqual([len(patients[name]) for name in parts], [12, 4, 4])
        self.assertFalse(patients["train"] & patients["holdout"] or patients["train"] & patients["validation"])
        self.assertEqual(both.train.is_synthetic.sum(), 6)
        self.assertEqual(len(both.train), 24 + 6)
        self.assertFalse(both.holdout.is_synthetic.any() or both.validation.is_synthetic.any())
        # No picture of the holdout is in the training, whatever its number.
        held = {image.tobytes() for image in both.holdout}
        self.assertEqual(len(held), 8)
        self.assertFalse(held & {image.tobytes() for image in both.train})

    def test_pictures_and_codes_of_both(self):
        both = fovea_samples.RealAndSynthetic(self.photographs, self.samples).train
        self.equal(both[24], fixtures.pixels()[0])
        self.equal(both[-1], fixtures.pixels()[-1])
        large = fixtures.photographs()[0].astype(float)
        blocks = large.reshape(fixtures.HEIGHT, 2, fixtures.WIDTH, 2, 3).mean(axis=(1, 3))
        self.equal(both[0], np.rint(blocks).astype(np.uint8))
        self.equal(both.codes("dr_icdr")[24:], np.array(fixtures.DR_ICDR, np.int16))
        # The photographs call Zeiss 0 and Canon 1, the samples the other way round.
        self.assertEqual(both.codes("camera")[24:26].tolist(), [1, 0])
        with self.assertRaises(IndexError):
            both[36]

    def test_refused(self):
        with self.assertRaisesRegex(TypeError, "real: expected a data set"):
            fovea_samples.RealAndSynthetic(self.samples, self.samples)
        with self.assertRaisesRegex(TypeError, "synthetic: expected a sample set"):
            fovea_samples.RealAndSynthetic(self.photographs, self.photographs)
        odd = fixtures.write(self.path("odd.h5"), images=np.zeros((12, 5, 8, 3), np.uint8))
        with fovea_samples.open(odd) as samples:
            with self.assertRaisesRegex(SampleSetError, "a whole number of times 8 x 5, the samples' size, found 16 x"):
                fovea_samples.RealAndSynthetic(self.photographs, samples)

    @unittest.skipIf(torch is None, "PyTorch is not installed")
    def test_torch(self):
        both = fovea_samples.RealAndSynthetic(self.photographs, self.samples)
        data = pickle.loads(pickle.dumps(fovea_samples.torch_dataset(both.train)))
        self.assertEqual(len(data), 36)
        image, labels = data[25]
        self.assertEqual((tuple(image.shape), labels), ((3, 6, 8), {"dr_icdr": 3}))
        self.equal((image.numpy() * 255).round().astype(np.uint8).transpose(1, 2, 0), both.train[25])
        loader = torch.utils.data.DataLoader(data, batch_size=5, num_workers=2, multiprocessing_context="fork")
        self.assertEqual(sum(len(images) for images, _ in loader), 36)
        with self.assertRaisesRegex(SampleSetError, "photographs of one split, found holdout, train, validation"):
            fovea_samples.torch_dataset(self.photographs)
        with self.assertRaisesRegex(SampleSetError, "one split"):
            fovea_samples.torch_dataset(self.photographs.path)
        self.assertEqual(len(fovea_samples.torch_dataset(self.photographs.split("holdout"))), 8)
