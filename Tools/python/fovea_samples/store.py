"""The columns of one file, each read whole when it is first asked for and kept."""

import hashlib
import json
from datetime import datetime, timezone

import h5py

from . import checks
from .cohort import CohortColumn
from .errors import mismatch
from .handle import BLOCK, Handle
from .pixels import BYTES_AT_ONCE, Pixels


def is_data_set(path):
    """Whether the file at `path` calls itself a data set of photographs; False also where it is no HDF5 file."""
    with open(path, "rb"):
        pass
    try:
        with h5py.File(path, "r") as file:
            return file.attrs.get("kind") in ("fovea.dataset", b"fovea.dataset")
    except OSError:
        return False


class Store:
    """One file of kind `fovea.samples`, checked when it is opened; all views of a set share it.

    A copy (pickle, copy) opens the files again when it is used, in whatever process that is.
    """

    def __init__(self, path):
        self._handle = Handle(path)
        self.path = self._handle.path
        try:
            self._check()
        except BaseException:
            self._handle.close()
            raise
        self._columns, self._cohorts, self._models = {}, {}, {}
        self._runs = None

    def _check(self):
        file = self._handle.file
        checks.require_kind(file, self.path)
        # A flag alone is nothing: fovea verify checks the verdict and both signatures.
        self.releasable = checks.flag(file, self.path, "releasable") and "verdict" in file.get("audit", {})
        self.terms = [
            checks.attribute(file, self.path, name) for name in ("licence", "attribution", "permitted_uses", "contact")
        ]
        self.digital_source_type = checks.attribute(file, self.path, "digital_source_type")
        created = checks.attribute(file, self.path, "created")
        try:
            self.created = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        except ValueError as error:
            raise mismatch(
                self.path, "attribute created", "a moment in UTC such as 2026-01-31T12:00:00Z", created
            ) from error
        self.pixels = Pixels(self._handle)
        self.structures = checks.require_structures(file, self.path, self.pixels.shape)
        self.members = checks.require_columns(file, self.path, self.pixels.shape[0])
        checks.require_links(file, self.path, self.pixels.shape[0])

    def column(self, name):
        """The dataset `name` as an array; text as str."""
        if name not in self._columns:
            dataset = self._handle.file[name]
            self._columns[name] = dataset.asstr()[()] if dataset.dtype.kind in "SO" else dataset[()]
        return self._columns[name]

    def has(self, name):
        """Whether the file holds the dataset `name`."""
        return name in self._handle.file

    def asked(self, row):
        """The joined request that the sample in `row` was drawn for, or None. Raises SampleSetError."""
        if not self.has("provenance/joined"):
            return None
        number, texts = int(self.column("provenance/joined")[row]), self.column("provenance/joined_requests")
        if not -1 <= number < len(texts):
            raise mismatch(self.path, f"/provenance/joined of row {row}", f"-1 to {len(texts) - 1}", number)
        return None if number < 0 else str(texts[number])

    def original(self, row):
        """The row of the sample that the one in `row` shows in another cohort, or None."""
        if not self.has("provenance/original"):
            return None
        found = int(self.column("provenance/original")[row])
        return None if found < 0 else found

    def cohort(self, attribute):
        """The CohortColumn of `attribute`. Raises SampleSetError naming the attributes that there are."""
        if attribute not in self._cohorts:
            if attribute not in self.members:
                raise mismatch(self.path, "attribute of the cohort", f"one of {', '.join(self.members)}", attribute)
            requests = self.column(f"cohort_request/{attribute}") if attribute in checks.ORDINALS else None
            codes = self._handle.file[f"cohort/{attribute}"][()]
            self._cohorts[attribute] = CohortColumn(self.path, attribute, self.members[attribute], codes, requests)
        return self._cohorts[attribute]

    @property
    def runs(self):
        """All fields of every run, `schedule` parsed: list of dict."""
        if self._runs is None:
            columns = {name: self.column(f"runs/{name}").tolist() for name in (*checks.RUN_TEXTS, *checks.RUN_NUMBERS)}
            self._runs = [dict(zip(columns, row)) for row in zip(*columns.values())]
            for number, run in enumerate(self._runs):
                run["schedule"] = self._parsed(run["schedule"], f"/runs/schedule of run {number}")
                warnings = self.column(checks.RUN_WARNINGS)[number] if self.has(checks.RUN_WARNINGS) else ""
                run["warnings"] = self._parsed(warnings, f"/runs/warnings of run {number}") if warnings else {}
        return self._runs

    def model(self, digest):
        """Digest, manifest, lineage and W3C PROV record of a model, parsed: dict."""
        if digest not in self._models:
            group = self._handle.file["models"][digest]
            parsed = {
                name: self._parsed(group[name].asstr()[()], f"{group.name}/{name}")
                for name in ("manifest", "lineage", "prov")
            }
            self._models[digest] = {"digest": digest, **parsed}
        return self._models[digest]

    @property
    def model_digests(self):
        """Digests of all models of the file."""
        return list(self._handle.file["models"])

    def digests(self, rows):
        """SHA-256 of the pixels of `rows` in any order: uint8 [n, 32]."""
        first = int(rows.min())
        return self._handle.file["provenance/digest"][first : int(rows.max()) + 1][rows - first]

    def verify_user_block(self):
        """Compares the file's first 512 bytes with SHA-256 of the rest."""
        digest = hashlib.sha256()
        with open(self.path, "rb") as raw:
            block = raw.read(BLOCK)
            for part in iter(lambda: raw.read(BYTES_AT_ONCE), b""):
                digest.update(part)
        lines = block.rstrip(b"\0").split(b"\n")
        if len(lines) != 3 or lines[0] != b"fovea.samples 1" or lines[2] or len(block) != BLOCK:
            raise mismatch(self.path, "first 512 bytes", "a user block `fovea.samples 1`", repr(block[:16]))
        if lines[1] != digest.hexdigest().encode():
            wanted = lines[1].decode(errors="replace")
            raise mismatch(self.path, "bytes behind the user block (all rows)", f"SHA-256 {wanted}", digest.hexdigest())

    def close(self):
        """Closes all files for good."""
        self.pixels.close()
        self._handle.close()

    def _parsed(self, text, field):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise mismatch(self.path, field, "JSON", f"what is none ({error})") from error
