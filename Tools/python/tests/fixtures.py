"""Small sample sets that the tests write with h5py, whole or in shards."""

import hashlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import unittest

import h5py
import numpy as np

COUNT, HEIGHT, WIDTH = 12, 6, 8
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MODELS = ["a" * 64, "b" * 64]
SITES = ["alpha", "beta"]
NAMES = {
    "dr_icdr": ["0", "1", "2", "3", "4", "ungradable"],
    "dme": ["0", "1", "2"],
    "disease": ["healthy", "dr", "glaucoma", "amd", "cataract", "hypertension", "myopia", "other"],
    "age_band": ["0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+"],
    "sex": ["female", "male", "other"],
    "ethnicity": [],
    "laterality": ["left", "right"],
    "field": ["macula", "disc", "other"],
    "camera": ["Canon", "Zeiss"],
    "quality": ["good", "usable", "reject"],
    "site": [],
}
# Rows 4 and 9 asked for a place between codes, 2.5 and 0.1; row 6 for unknown, rows 7 and 11 for nothing.
DR_ICDR = [0, 3, 3, 4, -2, 5, -1, -2, 3, -2, 1, -2]
DR_REQUEST = [0, 3, 3, 4, 2.5, np.nan, np.nan, np.nan, 3, 0.1, 1, np.nan]
SEX = [0, 1, 2, 0, 1, -1, -2, 0, 0, 1, 1, 0]
TEXTS = {
    "kind": "fovea.samples",
    "created": "2026-01-31T12:30:00Z",
    "synthetic": "YES",
    "digital_source_type": IPTC,
    "releasable": "NO",
    "licence": "CC BY 4.0",
    "attribution": "Nobody",
    "permitted_uses": "research",
    "contact": "unspecified",
}


def optional(name):
    """The module, or None after a line that says so: its tests are skipped."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        print(f"skipped: what needs {name}, which this Python has not", file=sys.stderr)
        return None


def pixels(count=COUNT):
    """Pictures that all differ: uint8 [count, HEIGHT, WIDTH, 3]."""
    return np.random.default_rng(1).integers(0, 256, (count, HEIGHT, WIDTH, 3), np.uint8)


def write(path, edit=None, images=None, shards=None):
    """Writes a sample set; `edit(file)` changes it before its digest is written into the user block.

    `shards`: [(name, rows, SHA-256 of the file)] puts the pictures into them.
    """
    images = pixels() if images is None else images
    with h5py.File(path, "w", userblock_size=512) as file:
        file.attrs.update(TEXTS)
        file.attrs["version"] = file.attrs["schema_version"] = 1
        if shards is None:
            write_images(file, images)
        else:
            write_index(file, images, shards)
        write_columns(file, images)
        write_runs(file)
        file.create_group("audit")
        if edit is not None:
            edit(file)
    seal(path)
    return path


# Of every five patients three are for training, one for validation and one is held out; each has two photographs.
SPLITS = [0, 0, 0, 1, 2]
PHOTOGRAPHS, SCALE = 40, 2


def photographs(count=PHOTOGRAPHS):
    """Photographs SCALE times as large as `pixels`, all different: uint8 [count, SCALE HEIGHT, SCALE WIDTH, 3]."""
    return np.random.default_rng(2).integers(0, 256, (count, SCALE * HEIGHT, SCALE * WIDTH, 3), np.uint8)


def write_photographs(path, edit=None):
    """Writes a data set of photographs with grades 0 to 4; `edit(file)` changes it at the end."""
    images = photographs()
    patients = np.arange(PHOTOGRAPHS) // 2
    with h5py.File(path, "w") as file:
        file.attrs.update({"kind": "fovea.dataset", "synthetic": "NO", "site": "alpha", "licence": "CC BY 4.0"})
        file.attrs["version"] = 1
        write_images(file, images)
        columns = {"dr_icdr": np.arange(PHOTOGRAPHS) % 5, "camera": np.resize([1, 0, -1], PHOTOGRAPHS)}
        for name, names in {**NAMES, "camera": ["Zeiss", "Canon"]}.items():
            members = {"unknown": -1, **{value: code for code, value in enumerate(names)}}
            column = np.resize(columns.get(name, [-1]), PHOTOGRAPHS).astype(np.int16)
            file.create_dataset(f"cohort/{name}", data=column, dtype=h5py.enum_dtype(members, np.int16))
        texts = h5py.string_dtype("utf-8")
        file.create_dataset("patient", data=[f"p{patient}" for patient in patients], dtype=texts)
        splits = np.array(SPLITS, np.int8)[patients % len(SPLITS)]
        names = h5py.enum_dtype({"train": 0, "validation": 1, "holdout": 2}, np.int8)
        file.create_dataset("split", data=splits, dtype=names)
        digests = [np.frombuffer(hashlib.sha256(image.tobytes()).digest(), np.uint8) for image in images]
        file["digest"] = np.array(digests, np.uint8)
        if edit is not None:
            edit(file)
    return path


def write_images(file, images):
    shape = images.shape
    file.create_dataset(
        "images",
        data=images,
        chunks=(1,) + shape[1:],
        maxshape=(None,) + shape[1:],
        compression="gzip",
        compression_opts=1,
        fletcher32=True,
    )


def write_columns(file, images):
    count = len(images)
    codes = {"dr_icdr": DR_ICDR, "sex": SEX, "camera": [0, 1] * (COUNT // 2)}
    for name, names in NAMES.items():
        members = {"unspecified": -2, "unknown": -1, **{value: code for code, value in enumerate(names)}}
        column = np.resize(codes.get(name, [-2]), count).astype(np.int16)
        file.create_dataset(f"cohort/{name}", data=column, dtype=h5py.enum_dtype(members, np.int16))
    for name in ("dr_icdr", "dme", "age_band", "quality"):
        column = np.resize(DR_REQUEST if name == "dr_icdr" else [np.nan], count).astype(np.float32)
        file[f"cohort_request/{name}"] = column
    file["provenance/seed"] = np.full(count, 2**63 + 1, np.uint64)
    file["provenance/index"] = np.arange(100, 100 + count, dtype=np.uint64)
    file["provenance/run"] = (np.arange(count) % 2).astype(np.int32)
    digests = [np.frombuffer(hashlib.sha256(image.tobytes()).digest(), np.uint8) for image in images]
    file["provenance/digest"] = np.array(digests, np.uint8).reshape(count, 32)
    file["provenance/site_weight"] = np.tile(np.float32([0.25, 0.75]), (count, 1))
    file.create_dataset("provenance/site_names", data=SITES, dtype=h5py.string_dtype("utf-8", 5))


def write_runs(file):
    schedule = json.dumps(
        {"kind": "karras", "steps": 18, "sigma_min": 0.002, "sigma_max": 80, "rho": 7, "evaluations": 35}
    )
    texts = {
        "model_digest": MODELS,
        "sampler": ["heun", "dpmpp"],
        "schedule": [schedule] * 2,
        "tool_version": ["0.1.0"] * 2,
        "openblas_version": ["0.3.21"] * 2,
        "blas_core": ["Haswell"] * 2,
        "kernel_isa": ["v3"] * 2,
        "started": ["2026-01-31T12:00:00Z"] * 2,
        "finished": ["2026-01-31T12:30:00Z"] * 2,
    }
    for name, values in texts.items():
        file.create_dataset(f"runs/{name}", data=values, dtype=h5py.string_dtype("utf-8", max(map(len, values))))
    file["runs/steps"] = np.int32([18, 12])
    file["runs/guidance"] = np.float32([1, 1.5])
    for digest in MODELS:
        file[f"models/{digest}/manifest"] = json.dumps({"imagesSeen": 80000, "licence": "CC BY 4.0"})
        file[f"models/{digest}/lineage"] = json.dumps({"model": digest, "sites": SITES})
        file[f"models/{digest}/prov"] = json.dumps({"entity": {}})


def seal(path):
    """Writes the SHA-256 of what follows into the user block."""
    with open(path, "r+b") as raw:
        raw.seek(512)
        digest = hashlib.sha256(raw.read()).hexdigest()
        raw.seek(0)
        raw.write(f"fovea.samples 1\n{digest}\n".encode().ljust(512, b"\0"))


def flip(path, position):
    """Changes one bit of the byte at `position`."""
    with open(path, "r+b") as raw:
        raw.seek(position)
        byte = raw.read(1)[0]
        raw.seek(position)
        raw.write(bytes([byte ^ 1]))


def open_files():
    """Paths of all files that this process has open."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [os.readlink(link) for link in links if os.path.exists(link)]


def write_index(file, images, shards):
    """`/images` as a virtual dataset over `shards`, and `/shards`."""
    layout = h5py.VirtualLayout(images.shape, np.uint8)
    first = 0
    for name, rows, _ in shards:
        layout[first : first + rows] = h5py.VirtualSource(name, "images", (rows,) + images.shape[1:])
        first += rows
    file.create_virtual_dataset("images", layout, fillvalue=0)
    file.create_dataset("shards/name", data=[name for name, _, _ in shards], dtype=h5py.string_dtype("utf-8"))
    file["shards/samples"] = np.int64([rows for _, rows, _ in shards])
    file["shards/digest"] = np.array([np.frombuffer(digest, np.uint8) for _, _, digest in shards])


def write_sharded(folder, sizes=(5, 1, 6), edit=None):
    """An index `index.h5` over shards of `sizes` rows in `folder`: its path."""
    images = pixels(sum(sizes))
    shards, first = [], 0
    for number, rows in enumerate(sizes):
        path = os.path.join(folder, f"shard-{number}.h5")
        with h5py.File(path, "w") as file:
            write_images(file, images[first : first + rows])
        with open(path, "rb") as raw:
            shards.append((os.path.basename(path), rows, hashlib.sha256(raw.read()).digest()))
        first += rows
    return write(os.path.join(folder, "index.h5"), edit, images, shards)


class FolderCase(unittest.TestCase):
    """A test with a folder of its own, `self.path(name)`."""

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name="samples.h5"):
        return os.path.join(self.folder, name)

    def equal(self, found, wanted):
        """Same shape, type and elements."""
        self.assertEqual((found.shape, found.dtype), (wanted.shape, wanted.dtype))
        np.testing.assert_array_equal(found, wanted)
