"""Sets whose pictures lie in several files: rows come from the shards themselves, and never as zeros."""

import os
import pickle

import h5py
import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase, flip, open_files
from .test_open import replaced


class ShardTests(FolderCase):
    def setUp(self):
        super().setUp()
        self.index = fixtures.write_sharded(self.folder)
        self.pixels = fixtures.pixels()

    def shard(self, number):
        return self.path(f"shard-{number}.h5")

    def refused(self, sentence, path=None):
        with self.assertRaisesRegex(SampleSetError, sentence):
            fovea_samples.open(path or self.index)

    def test_rows(self):
        with fovea_samples.open(self.index) as samples:
            self.assertEqual(len(samples), 12)
            self.equal(samples.images(range(12)), self.pixels)
            for rows in ([4, 5, 6], [11, 0, 5, 4, 4, -1], [6, 5, 4]):
                self.equal(samples.images(rows), self.pixels[rows])
            view = samples.filter(dr_icdr=[3, 2.5])
            self.equal(view.images(range(4)), self.pixels[[1, 2, 4, 8]])
            self.equal(pickle.loads(pickle.dumps(view))[-1], self.pixels[8])
            samples.verify()
            samples.verify_user_block()

    def test_empty_shards(self):
        folder = self.path("empty")
        os.mkdir(folder)
        with fovea_samples.open(fixtures.write_sharded(folder, (0, 7, 0, 5))) as samples:
            self.equal(samples.images(range(12)), self.pixels)
            samples.verify()

    def test_more_shards_than_are_kept_open(self):
        fovea_samples.pixels.OPEN_SHARDS, before = 2, fovea_samples.pixels.OPEN_SHARDS
        self.addCleanup(setattr, fovea_samples.pixels, "OPEN_SHARDS", before)
        folder = self.path("many")
        os.mkdir(folder)
        with fovea_samples.open(fixtures.write_sharded(folder, (1,) * 12)) as samples:
            for rows in (np.arange(12), np.array([3, 9, 3, 0, 11, 9])):
                self.equal(samples.images(rows), self.pixels[rows])
                self.assertEqual(sum("/many/shard-" in name for name in open_files()), 2)
            samples.images([0, 1, 0, 2])  # 1 is the one that was used longest ago
            held = {os.path.basename(name) for name in open_files() if "/many/shard-" in name}
            self.assertEqual(held, {"shard-0.h5", "shard-2.h5"})

    def test_a_missing_shard(self):
        os.remove(self.shard(1))
        with h5py.File(self.index) as file:
            self.assertEqual(int(file["images"][5].max()), 0)  # what HDF5 alone would return
        self.refused("index.h5: shard shard-1.h5: expected a file beside this one, found No such file")

    def test_a_shard_that_goes_while_the_set_is_open(self):
        with fovea_samples.open(self.index) as samples:
            twin = pickle.loads(pickle.dumps(samples))
        os.remove(self.shard(2))
        self.equal(twin[0], self.pixels[0])
        with self.assertRaises(FileNotFoundError):
            twin[11]

    def test_a_shard_of_other_rows(self):
        for images in (self.pixels[:2], self.pixels[:1, :, :4]):
            with h5py.File(self.shard(1), "w") as file:
                fixtures.write_images(file, images)
            self.refused(
                r"shard-1.h5: /images: expected shape \(1, 6, 8, 3\), as the index index.h5 says, found "
                + str(images.shape).replace("(", r"\(").replace(")", r"\)")
            )

    def test_a_shard_that_is_no_hdf5(self):
        with open(self.shard(1), "w") as text:
            text.write("no HDF5")
        self.refused("shard-1.h5: file: expected HDF5")

    def test_a_shard_that_points_elsewhere(self):
        os.rename(self.shard(1), self.path("else.h5"))
        with h5py.File(self.shard(1), "w") as file:
            layout = h5py.VirtualLayout((1, 6, 8, 3), np.uint8)
            layout[:] = h5py.VirtualSource("else.h5", "images", (1, 6, 8, 3))
            file.create_virtual_dataset("images", layout)
        self.refused("shard-1.h5: /images: expected pictures in this file, found pictures in other files")

    def test_a_virtual_dataset_without_shards(self):
        self.refused(
            "/images: expected pictures in this file, found pictures in other files",
            fixtures.write_sharded(self.folder, edit=replaced("shards", None)),
        )

    def test_shards_without_a_virtual_dataset(self):
        self.refused(
            "/images: expected pictures in the files of /shards, found pictures in this file",
            fixtures.write_sharded(self.folder, edit=replaced("images", self.pixels)),
        )

    def test_names(self):
        for name in ("../shard-1.h5", "/etc/passwd", "..", ".", "", "sub\\shard-1.h5", "sub/shard-1.h5"):
            names = np.array(["shard-0.h5", name, "shard-2.h5"], h5py.string_dtype())
            path = fixtures.write_sharded(self.folder, edit=replaced("shards/name", names))
            self.refused("/shards/name: expected the plain name of a file, found ", path)

    def test_samples(self):
        for samples, sentence in (
            ([5, 1, 5], "expected 12 in all, the rows of /images, found 11"),
            ([5, -1, 8], "expected 0 or more, found -1"),
            ([5, 7], r"expected shape \(3,\), found \(2,\)"),
            ([6, 0, 6], r"expected shape \(6, 6, 8, 3\)"),
        ):
            self.refused(
                sentence, fixtures.write_sharded(self.folder, edit=replaced("shards/samples", np.int64(samples)))
            )

    def test_digests(self):
        samples = fovea_samples.open(self.index)
        self.addCleanup(samples.close)
        flip(self.shard(2), os.path.getsize(self.shard(2)) - 1)
        with self.assertRaisesRegex(
            SampleSetError, r"index.h5: shard shard-2.h5 \(rows 6 to 11\): expected SHA-256 [0-9a-f]{64}, found"
        ):
            samples.verify()
        # Only the shards that hold the view's rows are compared; single rows by their pixels alone.
        samples.filter(dr_icdr=2.5).verify()
        with self.assertRaisesRegex(SampleSetError, "shard-2.h5"):
            samples.filter(dr_icdr=3).verify()

    def test_pixels_that_are_not_the_rows_of_the_index(self):
        with h5py.File(self.shard(1), "w") as file:
            fixtures.write_images(file, self.pixels[:1])
        with fovea_samples.open(self.index) as samples:
            samples.verify([0, 11])
            with self.assertRaisesRegex(SampleSetError, "in row 5$"):
                samples.verify([4, 5])
