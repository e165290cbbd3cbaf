"""Pictures by row, and the digests of pixels and of the file."""

import copy
import os
import pickle
import unittest

import h5py
import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase, flip
from .test_open import replaced


class PictureTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.samples = fovea_samples.open(fixtures.write(self.path()))
        self.addCleanup(self.samples.close)
        self.pixels = fixtures.pixels()

    def test_one(self):
        for i in (0, 5, 11, -1, -12, np.int64(3)):
            self.equal(self.samples[i], self.pixels[i])
            self.equal(self.samples.image(i), self.pixels[i])

    def test_several_in_any_order(self):
        for rows in ([3, 4, 5], [5, 4, 3], [7, 7, -1, 0, 7], np.arange(12), np.array([2, 3, 9], np.uint8), [11]):
            self.equal(self.samples.images(rows), self.pixels[rows])
        self.equal(self.samples.images([]), self.pixels[:0])

    def test_outside(self):
        view = self.samples.filter(sex="female")
        for samples, i in ((self.samples, 12), (self.samples, -13), (view, 5), (view, -6)):
            several = lambda i, samples=samples: samples.images([0, i])  # noqa: E731
            for use in (samples.image, samples.cohort, samples.provenance, several):
                with self.assertRaisesRegex(IndexError, f"sample {i} of {len(samples)}$"):
                    use(i)

    def test_no_rows(self):
        for rows in (1.5, "1", slice(2)):
            with self.assertRaises(TypeError):
                self.samples[rows]
        for rows in ([0.5], [[1, 2]], [True, False]):
            with self.assertRaises(TypeError):
                self.samples.images(rows)

    def test_views(self):
        view = self.samples.filter(sex="female")
        rows = [0, 3, 7, 8, 11]
        self.equal(view.rows, np.int64(rows))
        self.equal(view.images(range(5)), self.pixels[rows])
        self.equal(view[-2], self.pixels[8])
        self.equal(np.array(list(view)), self.pixels[rows])

    def test_copies_open_the_file_again(self):
        view = self.samples.filter(sex="female")
        for twin in (pickle.loads(pickle.dumps(view)), copy.deepcopy(view)):
            self.assertEqual(len(twin), 5)
            self.equal(twin[1], self.pixels[3])
            twin.close()
        self.equal(view[1], self.pixels[3])

    def test_a_forked_process_opens_the_file_again(self):
        inherited = self.samples._store._handle.file
        child = os.fork()
        if child == 0:
            good = (self.samples[3] == self.pixels[3]).all() and self.samples._store._handle.file is not inherited
            os._exit(0 if good and not inherited else 1)  # an h5py.File that is closed is false
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.equal(self.samples[4], self.pixels[4])

    def test_a_file_replaced_meanwhile_is_refused(self):
        state = pickle.dumps(self.samples)
        fixtures.write(self.path("new.h5"), images=self.pixels[::-1])
        os.replace(self.path("new.h5"), self.path())
        with self.assertRaisesRegex(SampleSetError, "expected the one that was opened first"):
            pickle.loads(state)[0]
        self.equal(self.samples[0], self.pixels[0])


class VerifyTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.digests = np.array(fovea_samples.open(fixtures.write(self.path("good.h5"))).column("digest"))

    def test_good(self):
        with fovea_samples.open(self.path("good.h5")) as samples:
            samples.verify_user_block()
            samples.verify()
            samples.verify([3, -1])
            samples.filter(sex="male").verify()
            samples.verify([])

    def test_swapped_rows_are_named(self):
        swapped = self.digests[[0, 4, 2, 3, 1, 5, 6, 7, 8, 9, 10, 11]]
        with fovea_samples.open(fixtures.write(self.path(), replaced("provenance/digest", swapped))) as samples:
            samples.verify_user_block()
            with self.assertRaisesRegex(SampleSetError, "found others in row 1, 4$"):
                samples.verify()
            with self.assertRaisesRegex(SampleSetError, "in row 4$"):
                samples.verify([0, 4])
            samples.verify([0, 2, 3])
            # Rows of the file: row 1 is the first of the men.
            with self.assertRaisesRegex(SampleSetError, "in row 1, 4$"):
                samples.filter(sex="male").verify()

    def test_every_block_of_rows_is_compared(self):
        fovea_samples.pixels.BYTES_AT_ONCE, before = 400, fovea_samples.pixels.BYTES_AT_ONCE
        self.addCleanup(setattr, fovea_samples.pixels, "BYTES_AT_ONCE", before)
        wrong = self.digests.copy()
        wrong[[3, 11], 31] ^= 1
        with fovea_samples.open(fixtures.write(self.path(), replaced("provenance/digest", wrong))) as samples:
            with self.assertRaisesRegex(SampleSetError, "in row 3, 11$"):
                samples.verify()
            samples.verify([0, 1, 2, 4, 10, 9])

    def test_many_rows_are_counted(self):
        with fovea_samples.open(
            fixtures.write(self.path(), replaced("provenance/digest", self.digests * 0))
        ) as samples:
            with self.assertRaisesRegex(SampleSetError, "row 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more$"):
                samples.verify()

    def test_a_damaged_chunk_is_named_and_never_returned(self):
        with h5py.File(self.path("good.h5")) as file:
            _, chunk = file["images"].id.read_direct_chunk((7, 0, 0, 0))
        with open(self.path("good.h5"), "rb") as raw:
            flip(self.path("good.h5"), raw.read().index(chunk) + len(chunk) // 2)
        with fovea_samples.open(self.path("good.h5")) as samples:
            with self.assertRaisesRegex(SampleSetError, "/images, row 7: cannot be read"):
                samples[7]
            with self.assertRaisesRegex(SampleSetError, "rows 6 to 8: cannot be read"):
                samples.images([6, 7, 8])
            with self.assertRaisesRegex(SampleSetError, "in row 7$"):
                samples.verify()
            samples.verify([6, 8])
            with self.assertRaisesRegex(SampleSetError, "user block .all rows.: expected SHA-256"):
                samples.verify_user_block()

    def test_user_block(self):
        size = os.path.getsize(self.path("good.h5"))
        wrong = {size - 1: "all rows", 512: "all rows", 40: "all rows", 3: "first 512 bytes", 511: "first 512 bytes"}
        for position, sentence in wrong.items():
            path = fixtures.write(self.path(f"{position}.h5"))
            with fovea_samples.open(path) as samples:
                flip(path, position)
                with self.assertRaisesRegex(SampleSetError, sentence):
                    samples.verify_user_block()

    @unittest.skipUnless("FOVEA_TEST_SAMPLES" in os.environ, "the variable FOVEA_TEST_SAMPLES names no sample set")
    def test_a_real_file(self):
        with fovea_samples.open(os.environ["FOVEA_TEST_SAMPLES"]) as samples:
            samples.verify_user_block()
            samples.verify()
            self.assertEqual(
                samples.images(range(len(samples))).shape, (len(samples), samples.height, samples.width, 3)
            )
            self.assertEqual(sum(samples.counts("dr_icdr").values()), len(samples))
            self.assertEqual(
                samples.provenance(-1)["model"]["digest"], samples.provenance(-1)["model"]["lineage"]["model"]
            )
