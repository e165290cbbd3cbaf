"""What a file must hold to be opened as a sample set: docs/formats.md, as code."""

import h5py
import numpy as np

from .errors import listed, mismatch

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
RUN_TEXTS = (
    "model_digest",
    "sampler",
    "schedule",
    "tool_version",
    "openblas_version",
    "blas_core",
    "kernel_isa",
    "started",
    "finished",
)
RUN_WARNINGS = "runs/warnings"
"""Only in a set with a run that needs a warning: JSON, or empty text."""
RUN_NUMBERS = {"steps": np.int32, "guidance": np.float32}
PROVENANCE = {"seed": np.uint64, "index": np.uint64, "run": np.int32}
ORDINALS = {"dr_icdr": 4, "dme": 2, "age_band": 8, "quality": 2}
"""Attributes whose codes 0 to the number given stand on a line, so that places between them can be asked for."""
ROWS_AT_ONCE = 1 << 20


def attribute(file, path, name, expected=None):
    """The text of a root attribute; must be `expected` where that is given."""
    value = file.attrs.get(name)
    value = value.decode() if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise mismatch(path, f"attribute {name}", expected or "text", "none" if value is None else repr(value))
    if expected is not None and value != expected:
        raise mismatch(path, f"attribute {name}", expected, value)
    return value


def flag(file, path, name):
    """A root attribute that is YES or NO."""
    value = attribute(file, path, name)
    if value not in ("YES", "NO"):
        raise mismatch(path, f"attribute {name}", "YES or NO", value)
    return value == "YES"


def inside(file, path, name):
    """What stands under `name`, or None; a link that leads out of the file is refused."""
    place = file
    for part in name.split("/"):
        link = place.get(part, getlink=True) if isinstance(place, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise mismatch(path, f"/{name}", "content in this file", "a link to elsewhere")
        place = place[part]
    return place


def dataset(file, path, name, dtype=None, shape=None):
    """The dataset `name`; must hold `dtype` (str: text) in `shape` where those are given."""
    found = inside(file, path, name)
    if not isinstance(found, h5py.Dataset):
        raise mismatch(path, f"/{name}", "a dataset", "none" if found is None else "a group")
    if name != "images" and (found.external or found.is_virtual):
        raise mismatch(path, f"/{name}", "content in this file", "content in other files")
    if shape is not None and found.shape != shape:
        raise mismatch(path, f"/{name}", f"shape {shape}", found.shape)
    if dtype is str and h5py.check_string_dtype(found.dtype) is None:
        raise mismatch(path, f"/{name}", "text", found.dtype)
    if dtype not in (None, str) and found.dtype != dtype:
        raise mismatch(path, f"/{name}", np.dtype(dtype), found.dtype)
    return found


def group(file, path, name):
    """The group `name`."""
    found = inside(file, path, name)
    if not isinstance(found, h5py.Group):
        raise mismatch(path, f"/{name}", "a group", "none" if found is None else "a dataset")
    return found


def require_kind(file, path):
    """Refuses what is not a sample set of version 1 or is not labelled as synthetic."""
    attribute(file, path, "kind", "fovea.samples")
    version = file.attrs.get("version")
    if np.shape(version) != () or version != 1:
        raise mismatch(path, "attribute version", 1, "none" if version is None else version)
    attribute(file, path, "synthetic", "YES")
    attribute(file, path, "digital_source_type", IPTC)


def require_images(file, path, virtual):
    """The shape [N, H, W, 3] of `/images`, which lies in this file or, where `virtual`, in shards."""
    images = dataset(file, path, "images", np.uint8)
    if len(images.shape) != 4 or images.shape[3] != 3 or 0 in images.shape[1:]:
        raise mismatch(path, "/images", "shape (N, H, W, 3)", images.shape)
    elsewhere = bool(images.external) or images.file.filename != file.filename
    if elsewhere or images.is_virtual != virtual:
        places = {True: "pictures in the files of /shards", False: "pictures in this file"}
        raise mismatch(
            path,
            "/images",
            places[virtual],
            "pictures in other files" if elsewhere or images.is_virtual else places[False],
        )
    return images.shape


def require_structures(file, path, shape):
    """Names of the structures of which there are maps: tuple. Checks type and shape of each."""
    if inside(file, path, "structure") is None:
        return ()
    names = tuple(group(file, path, "structure"))
    for name in names:
        dataset(file, path, f"structure/{name}", np.uint8, shape[:3])
    return names


def require_columns(file, path, count):
    """Checks types and shapes of all columns; reads none.

    Returns the names of every cohort attribute: {attribute: {name: code}}.
    """
    names = {}
    for name in group(file, path, "cohort"):
        column = dataset(file, path, f"cohort/{name}", None, (count,))
        names[name] = h5py.check_enum_dtype(column.dtype)
        if names[name] is None or column.dtype != np.int16:
            raise mismatch(path, f"/cohort/{name}", "an int16 enumeration", column.dtype)
    for name in ORDINALS:
        dataset(file, path, f"cohort_request/{name}", np.float32, (count,))
    for name, dtype in PROVENANCE.items():
        dataset(file, path, f"provenance/{name}", dtype, (count,))
    dataset(file, path, "provenance/digest", np.uint8, (count, 32))
    if inside(file, path, "provenance/joined") is not None:
        dataset(file, path, "provenance/joined", np.int32, (count,))
        dataset(file, path, "provenance/joined_requests", str)
    if inside(file, path, "provenance/original") is not None:
        require_originals(dataset(file, path, "provenance/original", np.int64, (count,)), path)
    sites = dataset(file, path, "provenance/site_names", str).shape
    dataset(file, path, "provenance/site_weight", np.float32, (count,) + sites)
    return names


def require_originals(column, path):
    """Checks that every counterfactual names an earlier row that is none itself."""
    rows = column[()]
    for row, original in enumerate(rows):
        if original != -1 and not (0 <= original < row and rows[original] == -1):
            expected = "-1 or an earlier row that is no counterfactual"
            raise mismatch(path, f"/provenance/original of row {row}", expected, original)


def require_links(file, path, count):
    """Checks that every sample points to a run and every run to a model."""
    models = group(file, path, "models")
    digests = dataset(file, path, "runs/model_digest", str)
    for name in RUN_TEXTS:
        dataset(file, path, f"runs/{name}", str, digests.shape)
    for name, dtype in RUN_NUMBERS.items():
        dataset(file, path, f"runs/{name}", dtype, digests.shape)
    if inside(file, path, RUN_WARNINGS) is not None:
        dataset(file, path, RUN_WARNINGS, str, digests.shape)
    for run, digest in enumerate(digests.asstr()[()]):
        if digest not in models:
            raise mismatch(path, f"/runs/model_digest of run {run}", f"one of /models ({listed(models)})", digest)
        for name in ("manifest", "lineage", "prov"):
            dataset(file, path, f"models/{digest}/{name}", str, ())
    runs = file["provenance/run"]
    for first in range(0, count, ROWS_AT_ONCE):
        some = runs[first : first + ROWS_AT_ONCE]
        bad = np.flatnonzero((some < 0) | (some >= len(digests)))
        if bad.size:
            raise mismatch(path, f"/provenance/run of row {first + bad[0]}", f"0 to {len(digests) - 1}", some[bad[0]])
