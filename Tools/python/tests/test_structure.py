"""Maps of structures, and samples that show another one in another cohort."""

import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase

MAPS = np.random.default_rng(2).integers(0, 256, (fixtures.COUNT, fixtures.HEIGHT, fixtures.WIDTH), np.uint8)


class StructureTests(FolderCase):
    def set_with_maps(self, maps=MAPS):
        return fixtures.write(self.path("s.h5"), lambda file: file.create_dataset("structure/vessels", data=maps))

    def test_maps_of_rows_in_any_order(self):
        with fovea_samples.open(self.set_with_maps()) as samples:
            self.assertEqual(samples.structures, ("vessels",))
            np.testing.assert_array_equal(samples.structure("vessels", [7, 0, 1]), MAPS[[7, 0, 1]])
            np.testing.assert_array_equal(samples.filter(sex="male").structure("vessels", [0]), MAPS[[1]])
            with self.assertRaisesRegex(SampleSetError, "expected one of vessels, found macula"):
                samples.structure("macula", [0])

    def test_maps_of_another_shape_are_refused(self):
        with self.assertRaisesRegex(SampleSetError, "/structure/vessels"):
            fovea_samples.open(self.set_with_maps(MAPS[:, :-1]))

    def test_a_set_without_maps(self):
        with fovea_samples.open(fixtures.write(self.path("s.h5"))) as samples:
            self.assertEqual(samples.structures, ())
            self.assertIsNone(samples.provenance(1)["original"])


class OriginalTests(FolderCase):
    def set_with(self, originals):
        def edit(file):
            file["provenance/original"] = np.int64(originals)

        return fixtures.write(self.path("p.h5"), edit)

    def test_the_row_of_the_original(self):
        with fovea_samples.open(self.set_with([-1, 0, 0, -1, 3, 3] + [-1] * 6)) as samples:
            self.assertEqual([samples.provenance(i)["original"] for i in range(6)], [None, 0, 0, None, 3, 3])

    def test_a_link_to_no_original_is_refused(self):
        for row, original in ((0, 0), (2, 1), (1, 5), (3, -2)):
            links = [-1, 0, 0] + [-1] * 9
            links[row] = original
            with self.assertRaisesRegex(SampleSetError, f"/provenance/original of row {row}: .*found {original}"):
                fovea_samples.open(self.set_with(links))
