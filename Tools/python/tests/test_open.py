"""What is opened, and what is refused, with which sentence."""

import os
import subprocess
import sys
from datetime import datetime, timezone

import h5py
import numpy as np

import fovea_samples
from fovea_samples import SampleSetError

from . import fixtures
from .fixtures import FolderCase, open_files


def replaced(name, values):
    """An edit that puts `values` in the place of a dataset."""

    def edit(file):
        del file[name]
        if values is not None:
            file[name] = values

    return edit


def attribute(name, value):
    """An edit that sets a root attribute, or removes it (None)."""

    def edit(file):
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value

    return edit


def external(file):
    shape = file["images"].shape
    del file["images"]
    file.create_dataset("images", shape, np.uint8, external=[("pixels.raw", 0, int(np.prod(shape)))])


def seeds_elsewhere(file):
    """Seeds that are the bytes of another file."""
    count = len(file["provenance/seed"])
    del file["provenance/seed"]
    file["provenance"].create_dataset("seed", (count,), "u8", external=[("/etc/hostname", 0, 8 * count)])


def linked(file):
    with h5py.File(os.path.join(os.path.dirname(file.filename), "other.h5"), "w") as other:
        other["images"] = file["images"][()]
    del file["images"]
    file["images"] = h5py.ExternalLink("other.h5", "/images")


REFUSED = [
    (attribute("kind", "fovea.snapshot"), "attribute kind: expected fovea.samples, found fovea.snapshot"),
    (attribute("kind", "fovea.dataset"), "attribute site: expected text, found none"),
    (attribute("kind", None), "attribute kind: expected fovea.samples, found none"),
    (attribute("version", 2), "attribute version: expected 1, found 2"),
    (attribute("version", None), "attribute version: expected 1, found none"),
    (attribute("version", [1, 2]), r"attribute version: expected 1, found \[1 2\]"),
    (attribute("synthetic", "NO"), "attribute synthetic: expected YES, found NO"),
    (attribute("synthetic", None), "attribute synthetic: expected YES, found none"),
    (
        attribute("digital_source_type", "digitalCapture"),
        "attribute digital_source_type: expected http.*, found digitalCapture",
    ),
    (attribute("releasable", "maybe"), "attribute releasable: expected YES or NO, found maybe"),
    (attribute("created", "yesterday"), "attribute created: expected a moment in UTC .*, found yesterday"),
    (attribute("licence", None), "attribute licence: expected text, found none"),
    (replaced("images", None), "/images: expected a dataset, found none"),
    (replaced("images", np.zeros((12, 6, 8), np.uint8)), r"/images: expected shape \(N, H, W, 3\), found \(12, 6, 8\)"),
    (replaced("images", np.zeros((12, 6, 8, 3), np.float32)), "/images: expected uint8, found float32"),
    (replaced("images", np.zeros((11, 6, 8, 3), np.uint8)), r"expected shape \(11,.*\), found \(12,"),
    (external, "/images: expected pictures in this file, found pictures in other files"),
    (linked, "/images: expected content in this file, found a link to elsewhere"),
    (seeds_elsewhere, "/provenance/seed: expected content in this file, found content in other files"),
    (replaced("cohort", None), "/cohort: expected a group, found none"),
    (replaced("cohort/sex", np.zeros(12, np.int16)), "/cohort/sex: expected an int16 enumeration, found int16"),
    (replaced("cohort_request/dme", None), "/cohort_request/dme: expected a dataset, found none"),
    (replaced("provenance/seed", np.zeros(12, np.int64)), "/provenance/seed: expected uint64, found int64"),
    (replaced("provenance/digest", np.zeros((12, 16), np.uint8)), r"/provenance/digest: expected shape \(12, 32\)"),
    (
        replaced("provenance/site_weight", np.zeros((12, 3), np.float32)),
        r"/provenance/site_weight: expected shape \(12, 2\)",
    ),
    (replaced("provenance/run", np.int32([0] * 11 + [2])), "/provenance/run of row 11: expected 0 to 1, found 2"),
    (
        replaced("provenance/run", np.int32([0] * 5 + [-1] + [0] * 6)),
        "/provenance/run of row 5: expected 0 to 1, found -1",
    ),
    (replaced("models/" + "b" * 64, None), "/runs/model_digest of run 1: expected one of /models .*, found bbbb"),
    (replaced("models/" + "a" * 64 + "/lineage", None), "/models/a*/lineage: expected a dataset, found none"),
    (replaced("runs/sampler", np.zeros(2)), "/runs/sampler: expected text, found float64"),
    (replaced("runs/steps", np.int32([18])), r"/runs/steps: expected shape \(2,\), found \(1,\)"),
]


class OpenTests(FolderCase):
    def test_what_the_file_says_of_itself(self):
        with fovea_samples.open(fixtures.write(self.path())) as samples:
            self.assertEqual((len(samples), samples.height, samples.width), (12, 6, 8))
            self.assertEqual(set(samples.attributes), set(fixtures.NAMES))
            self.assertEqual(samples.terms, ("CC BY 4.0", "Nobody", "research", "unspecified"))
            self.assertEqual(samples.created, datetime(2026, 1, 31, 12, 30, tzinfo=timezone.utc))
            self.assertIs(samples.releasable, False)
            self.assertEqual(samples.site_names, ["alpha", "beta"])
            self.assertEqual([run["sampler"] for run in samples.runs], ["heun", "dpmpp"])
            self.assertEqual(list(samples.models), fixtures.MODELS)

    def test_released(self):
        with fovea_samples.open(fixtures.write(self.path(), attribute("releasable", "YES"))) as samples:
            self.assertIs(samples.releasable, False, "a flag without a verdict")

        def release(file):
            file.attrs["releasable"] = "YES"
            file.require_group("audit")["verdict"] = ["{}"]

        with fovea_samples.open(fixtures.write(self.path("released.h5"), release)) as samples:
            self.assertIs(samples.releasable, True)

    def test_refused(self):
        for number, (edit, sentence) in enumerate(REFUSED):
            with self.subTest(sentence):
                path = fixtures.write(self.path(f"{number}.h5"), edit)
                with self.assertRaisesRegex(SampleSetError, "^" + path + ": .*" + sentence) as caught:
                    fovea_samples.open(path)
                self.assertNotIn("\n", str(caught.exception))

    def test_run_outside_beyond_the_first_block_of_rows(self):
        fovea_samples.checks.ROWS_AT_ONCE, before = 5, fovea_samples.checks.ROWS_AT_ONCE
        self.addCleanup(setattr, fovea_samples.checks, "ROWS_AT_ONCE", before)
        path = fixtures.write(self.path(), replaced("provenance/run", np.int32([0] * 7 + [9] + [0] * 4)))
        with self.assertRaisesRegex(SampleSetError, "of row 7: expected 0 to 1, found 9"):
            fovea_samples.open(path)

    def test_no_hdf5_and_no_file(self):
        with open(self.path("text.h5"), "w") as text:
            text.write("no HDF5\n")
        with self.assertRaisesRegex(SampleSetError, "text.h5: file: expected HDF5"):
            fovea_samples.open(self.path("text.h5"))
        with self.assertRaises(FileNotFoundError):
            fovea_samples.open(self.path("none.h5"))

    def test_closed(self):
        with fovea_samples.open(fixtures.write(self.path())) as samples:
            view = samples.filter(sex="male")
        for use in (lambda: samples[0], lambda: view[0], lambda: samples.codes("dme")):
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_a_refused_file_is_not_kept_open(self):
        path = fixtures.write(self.path(), attribute("synthetic", "NO"))
        try:
            fovea_samples.open(path)
        except SampleSetError:  # whose traceback keeps everything else alive
            self.assertNotIn(path, open_files())
        else:
            self.fail("it was opened")

    def test_importing_imports_neither_torch_nor_pandas(self):
        code = "import sys, fovea_samples; sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
        folder = os.path.dirname(os.path.dirname(fovea_samples.__file__))
        self.assertEqual(subprocess.run([sys.executable, "-c", code], cwd=folder).returncode, 0)

    @staticmethod
    def missing(module, use):
        """Python code that prints the ImportError of `use` where `module` is absent."""
        return (
            f"import sys; sys.modules['{module}'] = None\nimport fovea_samples\ntry: {use}\n"
            "except ImportError as error: print(error)"
        )

    def test_absent_libraries_are_named(self):
        path = fixtures.write(self.path())
        folder = os.path.dirname(os.path.dirname(fovea_samples.__file__))
        for module, use in (
            ("torch", f"fovea_samples.torch_dataset({path!r})"),
            ("pandas", f"fovea_samples.open({path!r}).to_pandas()"),
        ):
            said = subprocess.run(
                [sys.executable, "-c", self.missing(module, use)], cwd=folder, capture_output=True, text=True
            )
            self.assertIn(f"(pip install {module})", said.stdout, said.stderr)
