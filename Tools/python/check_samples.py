#!/usr/bin/env python3
"""Checks that files open with nothing but h5py and hold every field that the file formats promise.

    check_samples.py S.h5 [site.h5 ...]

Sample sets (kind fovea.samples) and datasets (kind fovea.dataset). Prints one line per failure; exit 1 if there is any.
"""

import hashlib
import json
import pathlib
import sys
from datetime import datetime

import h5py
import numpy as np

ATTRIBUTES = {
    "dr_icdr": ["0", "1", "2", "3", "4", "ungradable"],
    "dme": ["0", "1", "2"],
    "disease": ["healthy", "dr", "glaucoma", "amd", "cataract", "hypertension", "myopia", "other"],
    "age_band": ["0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+"],
    "sex": ["female", "male", "other"],
    "ethnicity": None,  # declared by the data
    "laterality": ["left", "right"],
    "field": ["macula", "disc", "other"],
    "camera": None,
    "quality": ["good", "usable", "reject"],
    "site": None,
}
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


class Checker:
    def __init__(self, path):
        self.path, self.failures = path, 0
        self.file = h5py.File(path, "r")

    def expect(self, condition, what):
        if not condition:
            self.failures += 1
            print(f"{self.path}: {what}")
        return condition

    def dataset(self, name, dtype, shape):
        """The dataset, or None after saying what is wrong with it."""
        found = self.file.get(name)
        if not self.expect(isinstance(found, h5py.Dataset), f"/{name} is no dataset"):
            return None
        ok = self.expect(found.shape == shape, f"/{name} has shape {found.shape}, not {shape}")
        if dtype is str:
            ok &= self.expect(
                h5py.check_string_dtype(found.dtype) is not None, f"/{name} holds {found.dtype}, not strings"
            )
            ok &= self.expect(
                h5py.check_string_dtype(found.dtype) and h5py.check_string_dtype(found.dtype).encoding == "utf-8",
                f"/{name} is not UTF-8",
            )
        elif dtype is not None:
            ok &= self.expect(found.dtype == np.dtype(dtype), f"/{name} holds {found.dtype}, not {np.dtype(dtype)}")
        return found if ok else None

    def strings(self, name, shape):
        found = self.dataset(name, str, shape)
        return None if found is None else found.asstr()[()]

    def attribute(self, name, expected=None):
        value = self.file.attrs.get(name)
        self.expect(isinstance(value, str) and value != "", f"attribute {name} is {value!r}, not text")
        if expected is not None:
            self.expect(value == expected, f"attribute {name} is {value!r}, not {expected!r}")
        return value

    def moment(self, text, what):
        try:
            datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            self.expect(False, f"{what} is {text!r}, not a moment in UTC")

    def images(self, labels, fletcher32):
        images = self.file.get("images")
        if not self.expect(images is not None and images.ndim == 4, "/images has not four dimensions"):
            return 0, None
        n = images.shape[0]
        self.expect(images.dtype == np.uint8 and images.shape[3] == 3, f"/images is {images.dtype} {images.shape}")
        if images.is_virtual:
            self.shards(images)
        else:
            self.expect(images.chunks == (1,) + images.shape[1:], f"/images has chunks {images.chunks}")
            self.expect(
                images.compression == "gzip" and images.compression_opts == 1, "/images is not deflated at level 1"
            )
            self.expect(images.fletcher32 == fletcher32, f"/images has fletcher32 {images.fletcher32}")
            self.expect(not images.shuffle, "/images is shuffled")
        found = [d.label for d in images.dims]
        self.expect(found == labels, f"/images has dimensions {found}")
        return n, images

    def shards(self, images):
        """The files that hold the pictures of a large set: HDF5 reads zeros where one is missing."""
        names = self.strings("shards/name", (len(images.virtual_sources()),))
        count = 0 if names is None else len(names)
        samples = self.dataset("shards/samples", "i8", (count,))
        digests = self.dataset("shards/digest", "u1", (count, 32))
        if samples is None or digests is None:
            return
        self.expect(samples[:].sum() == len(images), "/shards/samples do not sum to the number of samples")
        for name, size, digest in zip(names, samples[:], digests[:]):
            shard = pathlib.Path(self.path).parent / name
            if self.expect(shard.is_file(), f"the shard {name} is missing"):
                self.expect(
                    hashlib.sha256(shard.read_bytes()).digest() == digest.tobytes(), f"the shard {name} has changed"
                )
                self.expect(len(h5py.File(shard, "r")["images"]) == size, f"the shard {name} has not {size} samples")

    def cohort(self, n, extra):
        self.expect(set(self.file["cohort"]) == set(ATTRIBUTES), f"/cohort holds {sorted(self.file['cohort'])}")
        for name, codes in ATTRIBUTES.items():
            column = self.dataset(f"cohort/{name}", None, (n,))
            if column is None:
                continue
            self.expect(column.dtype == np.int16, f"/cohort/{name} holds {column.dtype}")
            members = h5py.check_enum_dtype(column.dtype)
            if not self.expect(members is not None, f"/cohort/{name} has no named codes"):
                continue
            wanted = dict(extra)
            names = (
                codes
                if codes is not None
                else [k for k, _ in sorted(members.items(), key=lambda m: m[1]) if k not in extra]
            )
            wanted.update({code: value for value, code in enumerate(names)})
            self.expect(members == wanted, f"/cohort/{name} names {members}")
            self.expect(set(column[:].tolist()) <= set(members.values()), f"/cohort/{name} has codes without a name")

    def digests(self, name, images, n):
        digests = self.dataset(name, np.uint8, (n, 32))
        if digests is not None and images is not None:
            bad = [i for i in range(n) if hashlib.sha256(images[i].tobytes()).digest() != digests[i].tobytes()]
            self.expect(not bad, f"/{name} differs from the pixels of rows {bad[:10]}")

    def samples(self):
        with open(self.path, "rb") as raw:
            block, rest = raw.read(512), hashlib.sha256()
            for piece in iter(lambda: raw.read(1 << 20), b""):
                rest.update(piece)
        wanted = (f"fovea.samples 1\n{rest.hexdigest()}\n").encode().ljust(512, b"\0")
        self.expect(block == wanted, "the first 512 bytes do not hold SHA-256 of what follows")
        self.expect(self.file.userblock_size == 512, f"user block of {self.file.userblock_size} bytes")
        self.attribute("synthetic", "YES")
        self.attribute("digital_source_type", IPTC)
        self.expect(self.attribute("releasable") in ("YES", "NO"), "attribute releasable is neither YES nor NO")
        for name in ("licence", "attribution", "permitted_uses", "contact"):
            self.attribute(name)
        n, images = self.images(["sample", "height", "width", "channel"], True)
        self.cohort(n, {"unspecified": -2, "unknown": -1})
        for name in ("dr_icdr", "dme", "age_band", "quality"):
            self.dataset(f"cohort_request/{name}", np.float32, (n,))
        if "original" in self.file["provenance"]:
            original = self.dataset("provenance/original", np.int64, (n,))
            rows = np.arange(n) if original is None else original[:]
            earlier = (rows == -1) | ((rows >= 0) & (rows < np.arange(n)))
            self.expect(earlier.all() and (rows[rows[rows >= 0]] == -1).all(), "/provenance/original names a wrong row")
        if "joined" in self.file["provenance"]:
            joined = self.dataset("provenance/joined", np.int32, (n,))
            texts = self.strings("provenance/joined_requests", self.file["provenance/joined_requests"].shape)
            points = joined is None or ((joined[:] >= -1) & (joined[:] < len(texts))).all()
            self.expect(points, "/provenance/joined points to no request")
        self.dataset("provenance/seed", np.uint64, (n,))
        self.dataset("provenance/index", np.uint64, (n,))
        run = self.dataset("provenance/run", np.int32, (n,))
        self.digests("provenance/digest", images, n)
        sites = self.file["provenance/site_names"].shape
        self.strings("provenance/site_names", sites)
        self.dataset("provenance/site_weight", np.float32, (n,) + sites)
        self.runs(run)
        self.expect(isinstance(self.file.get("audit"), h5py.Group), "/audit is no group")

    def runs(self, run):
        shape = self.file["runs/model_digest"].shape
        self.expect(
            run is None or (run[:] < shape[0]).all() and (run[:] >= 0).all(), "/provenance/run points to no run"
        )
        for name in ("sampler", "tool_version", "openblas_version", "blas_core", "kernel_isa"):
            self.strings(f"runs/{name}", shape)
        self.dataset("runs/steps", np.int32, shape)
        self.dataset("runs/guidance", np.float32, shape)
        if "warnings" in self.file["runs"]:
            for text in filter(None, self.strings("runs/warnings", shape)):
                unknown = set(json.loads(text)) - {"guidance", "small_cohorts"}
                self.expect(not unknown, f"/runs/warnings has {sorted(unknown)}")
        for name in ("started", "finished"):
            for text in self.strings(f"runs/{name}", shape):
                self.moment(text, f"/runs/{name}")
        for text in self.strings("runs/schedule", shape):
            missing = {"sigma_min", "sigma_max", "rho", "steps"} - set(json.loads(text))
            self.expect(not missing, f"/runs/schedule lacks {sorted(missing)}")
        for digest in self.strings("runs/model_digest", shape):
            self.expect(digest in self.file["models"], f"/models lacks {digest}")
        for digest in self.file["models"]:
            for name in ("manifest", "lineage", "prov"):
                json.loads(self.strings(f"models/{digest}/{name}", ()))

    def data(self):
        for name in ("site", "source", "licence", "tool_version"):
            self.attribute(name)
        for name in ("one_patient_per_photo", "synthetic"):
            self.expect(self.attribute(name) in ("YES", "NO"), f"attribute {name} is neither YES nor NO")
        n, images = self.images(["image", "height", "width", "channel"], False)
        self.dataset("field_of_view", np.float32, (n, 5))
        self.cohort(n, {"unknown": -1})
        patients = self.strings("patient", (n,))
        split = self.dataset("split", None, (n,))
        if split is not None and patients is not None:
            members = h5py.check_enum_dtype(split.dtype)
            self.expect(
                split.dtype == np.int8 and members == {"train": 0, "validation": 1, "holdout": 2},
                f"/split names {members}",
            )
            pairs = set(zip(patients.tolist(), split[:].tolist()))
            self.expect(len(pairs) == len(set(patients.tolist())), "a patient lies in two splits")
        self.digests("digest", images, n)
        for name in self.file.get("masks", {}):
            self.dataset(f"masks/{name}", np.uint8, images.shape[:3])

    def check(self):
        kind = self.attribute("kind")
        self.expect(
            self.file.attrs.get("version") == 1, f"attribute version is {self.file.attrs.get('version')!r}, not 1"
        )
        self.moment(self.attribute("created"), "attribute created")
        if kind == "fovea.samples":
            self.samples()
        elif kind == "fovea.dataset":
            self.data()
        else:
            self.expect(False, f"kind {kind!r} is none of fovea.samples, fovea.dataset")
        return self.failures


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failures = sum([Checker(path).check() for path in sys.argv[1:]])
    print(
        f"{len(sys.argv) - 1} files, {failures} failures "
        f"(h5py {h5py.version.version}, HDF5 {h5py.version.hdf5_version})"
    )
    sys.exit(1 if failures else 0)
