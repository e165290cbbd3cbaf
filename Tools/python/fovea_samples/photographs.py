"""A data set of photographs, or a view of some of its rows: what `fovea import` writes."""

import hashlib
import operator

import h5py
import numpy as np

from . import checks
from .cohort import CohortColumn
from .errors import listed, mismatch
from .handle import Handle

SPLITS = ("train", "validation", "holdout")
"""Names of the codes of `/split`."""


class PhotographStore:
    """One file of kind `fovea.dataset`, checked when it is opened; all views share it. A copy opens the file again."""

    def __init__(self, path):
        self.handle = Handle(path)
        self.path = self.handle.path
        try:
            self._check()
        except BaseException:
            self.handle.close()
            raise

    def _check(self):
        file, path = self.handle.file, self.path
        checks.attribute(file, path, "kind", "fovea.dataset")
        version = file.attrs.get("version")
        if np.shape(version) != () or version != 1:
            raise mismatch(path, "attribute version", 1, "none" if version is None else version)
        self.synthetic = checks.flag(file, path, "synthetic")
        self.site = checks.attribute(file, path, "site")
        self.licence = checks.attribute(file, path, "licence")
        self.shape = checks.require_images(file, path, virtual=False)
        count = self.shape[0]
        self.members = {}
        for name in checks.group(file, path, "cohort"):
            column = checks.dataset(file, path, f"cohort/{name}", np.int16, (count,))
            self.members[name] = h5py.check_enum_dtype(column.dtype)
            if self.members[name] is None:
                raise mismatch(path, f"/cohort/{name}", "an int16 enumeration", column.dtype)
        self.patients = checks.dataset(file, path, "patient", str, (count,)).asstr()[()]
        self.splits = checks.dataset(file, path, "split", np.int8, (count,))[()]
        checks.dataset(file, path, "digest", np.uint8, (count, 32))
        self._require_patients_apart()
        self.columns = {}

    def _require_patients_apart(self):
        """Refuses codes that are no split, and a patient who is in two splits."""
        strange = np.flatnonzero((self.splits < 0) | (self.splits >= len(SPLITS)))
        if strange.size:
            raise mismatch(self.path, f"/split of row {strange[0]}", f"0 to {len(SPLITS) - 1}", self.splits[strange[0]])
        home = {}
        for patient, split in zip(self.patients.tolist(), self.splits.tolist()):
            if home.setdefault(patient, split) != split:
                raise mismatch(self.path, f"/split of patient {patient}", "one split", "two")

    def cohort(self, attribute):
        """The CohortColumn of `attribute`. Raises SampleSetError naming the attributes that there are."""
        if attribute not in self.columns:
            if attribute not in self.members:
                raise mismatch(self.path, "attribute of the cohort", f"one of {', '.join(self.members)}", attribute)
            codes = self.handle.file[f"cohort/{attribute}"][()]
            self.columns[attribute] = CohortColumn(self.path, attribute, self.members[attribute], codes, None)
        return self.columns[attribute]


class PhotographSet:
    """Photographs of one data set, all of them or those that a split or a filter left. Row i of everything is
    photograph i.

    The splits are those of the file: no patient is in two of them. Columns are read when they are first used, pictures
    when they are asked for. A context manager, and pickled as `SampleSet` is.
    """

    def __init__(self, store, rows=None):
        self._store = store
        self._rows = np.arange(store.shape[0]) if rows is None else rows

    @property
    def path(self):
        """Where the file is."""
        return self._store.path

    @property
    def height(self):
        """Pixels."""
        return self._store.shape[1]

    @property
    def width(self):
        """Pixels."""
        return self._store.shape[2]

    @property
    def synthetic(self):
        """Whether the pictures were drawn and show no patient (phantoms): bool."""
        return self._store.synthetic

    @property
    def site(self):
        """The site of the photographs."""
        return self._store.site

    @property
    def licence(self):
        """The licence of the photographs."""
        return self._store.licence

    @property
    def attributes(self):
        """Names of the cohort's attributes: tuple of text."""
        return tuple(self._store.members)

    @property
    def rows(self):
        """Row in the file of every photograph here: int64 [n]."""
        return self._rows.copy()

    @property
    def patients(self):
        """Keys of the patients, which name nobody: text [n]."""
        return self._store.patients[self._rows]

    @property
    def splits(self):
        """The split of every photograph: text [n]."""
        return np.array(SPLITS)[self._store.splits[self._rows]]

    def __len__(self):
        return len(self._rows)

    def split(self, name):
        """A view of the photographs in `train`, `validation` or `holdout`."""
        if name not in SPLITS:
            raise mismatch(self.path, "split", f"one of {', '.join(SPLITS)}", name)
        return PhotographSet(self._store, self._rows[self._store.splits[self._rows] == SPLITS.index(name)])

    def filter(self, **conditions):
        """A view of the photographs that meet all conditions, in the same order: see `SampleSet.filter`."""
        keep = np.ones(len(self), bool)
        for attribute, values in conditions.items():
            keep &= self._store.cohort(attribute).matches(values)[self._rows]
        return PhotographSet(self._store, self._rows[keep])

    def __getitem__(self, i):
        return self.image(i)

    def image(self, i):
        """The picture of photograph `i`, RGB: uint8 [height, width, 3]."""
        return self.images([operator.index(i)])[0]

    def images(self, rows):
        """The pictures of `rows` in that order: uint8 [n, height, width, 3].

        Negative numbers count from the end. Raises IndexError outside, OSError where the file is damaged.
        """
        images = self._store.handle.file["images"]
        pictures = [images[self._row(row)] for row in rows]
        return np.array(pictures, np.uint8).reshape((len(pictures),) + self._store.shape[1:])

    def cohort(self, i):
        """What is known of photograph `i`: dict of attribute to name, without what is unknown."""
        row = self._row(i)
        names = {attribute: self._store.cohort(attribute).name(row) for attribute in self.attributes}
        return {attribute: name for attribute, name in names.items() if name != "unknown"}

    def members(self, attribute):
        """The codes of an attribute by name: dict."""
        return dict(self._store.members[attribute])

    def codes(self, attribute):
        """The codes of an attribute: int16 [n]; -1 is unknown."""
        return self._store.cohort(attribute).codes[self._rows]

    def named(self, attribute):
        """The names of an attribute and which of them each photograph has: (list of text, int64 [n])."""
        names, which = self._store.cohort(attribute).named()
        return names, which[self._rows]

    def counts(self, attribute):
        """How many photographs have each name of an attribute: dict in the order of codes, without names that none
        has."""
        names, which = self.named(attribute)
        return {name: count for name, count in zip(names, np.bincount(which, minlength=len(names)).tolist()) if count}

    def verify(self):
        """Compares SHA-256 of the pixels with the digests in the file. Raises SampleSetError naming rows of the
        file."""
        digests = self._store.handle.file["digest"]
        bad = [
            int(row)
            for place, row in enumerate(self._rows)
            if hashlib.sha256(self.images([place])[0]).digest() != digests[row].tobytes()
        ]
        if bad:
            raise mismatch(self.path, "/images", "pixels with the SHA-256 in /digest", f"others in row {listed(bad)}")

    def close(self):
        """Closes the file, for all views, too."""
        self._store.handle.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __repr__(self):
        return f"<PhotographSet {self.path}: {len(self)} photographs of {self.width} x {self.height} pixels>"

    def _row(self, i):
        i = operator.index(i)
        if not -len(self) <= i < len(self):
            raise IndexError(f"{self.path}: photograph {i} of {len(self)}")
        return int(self._rows[i])
