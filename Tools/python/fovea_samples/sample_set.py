"""A sample set, or a view of some of its rows."""

import operator
from typing import NamedTuple

import numpy as np

from .checks import ORDINALS
from .errors import mismatch
from .photographs import PhotographSet, PhotographStore
from .store import Store, is_data_set


class Terms(NamedTuple):
    """What may be done with the samples, as text; `unspecified` where nobody said so."""

    licence: str
    attribution: str
    permitted_uses: str
    contact: str


def open(path):
    """Opens the sample set or the data set of photographs at `path` (text or os.PathLike) for reading.

    Gives a SampleSet or, for what `fovea import` and `fovea phantom` write, a PhotographSet.

    Checks kind, version, the label as synthetic, types and shapes of all columns, links to runs and models, and that
    all shards are there; reads no pixels (see `SampleSet.verify`).

    Raises OSError where the file cannot be read, SampleSetError where it is neither of both or part of it is wrong.
    """
    return PhotographSet(PhotographStore(path)) if is_data_set(path) else SampleSet(Store(path))


class SampleSet:
    """Samples of one file, all of them or those that a filter left. Row i of everything is sample i.

    A context manager; views share the file with the set that they came from, and closing one closes all. Columns are
    read when they are first used, pictures when they are asked for. A pickled copy opens the file again where it is
    used. Not for several threads at once.
    """

    def __init__(self, store, rows=None):
        self._store = store
        self._rows = rows

    @property
    def path(self):
        """Where the file is."""
        return self._store.path

    @property
    def height(self):
        """Pixels."""
        return self._store.pixels.shape[1]

    @property
    def width(self):
        """Pixels."""
        return self._store.pixels.shape[2]

    @property
    def attributes(self):
        """Names of the cohort's attributes: tuple of text."""
        return tuple(self._store.members)

    @property
    def terms(self):
        """Licence, attribution, permitted uses and contact: Terms."""
        return Terms(*self._store.terms)

    @property
    def created(self):
        """When the file was made: datetime in UTC."""
        return self._store.created

    @property
    def releasable(self):
        """Whether the file says that it may be released, and holds a verdict (which `fovea verify` checks): bool."""
        return self._store.releasable

    @property
    def runs(self):
        """All runs of the file, every field, `schedule` parsed: list of dict. Shared: do not change them."""
        return self._store.runs

    @property
    def models(self):
        """All models of the file by digest: dict of dict with digest, manifest, lineage and prov, parsed. Shared."""
        return {digest: self._store.model(digest) for digest in self._store.model_digests}

    @property
    def site_names(self):
        """Sites that the models learnt from, in the order of the weights: list of text."""
        return self._store.column("provenance/site_names").tolist()

    @property
    def structures(self):
        """Names of the structures of which there is a map for each sample, such as `vessels`: tuple of text."""
        return self._store.structures

    def structure(self, name, rows):
        """Maps of one structure for samples in any order: uint8 [n, height, width], from 0 for nowhere to 255 where it
        is certain. Raises SampleSetError naming the structures that there are."""
        if name not in self.structures:
            raise mismatch(self.path, "structure", f"one of {', '.join(self.structures) or 'none'}", name)
        return self._store.pixels.read(self._file_rows(rows), name)

    @property
    def rows(self):
        """Row in the file of every sample here: int64 [n]."""
        return np.arange(self._store.pixels.shape[0]) if self._rows is None else self._rows.copy()

    def __len__(self):
        return self._store.pixels.shape[0] if self._rows is None else len(self._rows)

    def filter(self, **conditions):
        """A view of the samples that meet all conditions, in the same order; no pixels are read.

        `attribute=value`, or several values of which one must hold: names, `unknown` (asked for) and `unspecified`
        (left open) among them. Ordinal attributes take numbers: `dr_icdr=3` is the code, `dr_icdr=2.5` a place that was
        asked for.

        Raises SampleSetError naming what there is, where an attribute or value is none of it.
        """
        keep = np.ones(len(self), bool)
        for attribute, values in conditions.items():
            keep &= self._of(self._store.cohort(attribute).matches(values))
        return SampleSet(self._store, self.rows[keep])

    def __getitem__(self, i):
        return self.image(i)

    def image(self, i):
        """The picture of sample `i`, RGB: uint8 [height, width, 3].

        Negative numbers count from the end. Raises IndexError outside, SampleSetError where the file is damaged.
        """
        return self.images([operator.index(i)])[0]

    def images(self, rows):
        """The pictures of `rows` (whole numbers, any order, any number of times) in that order: uint8 [n, height,
        width, 3].

        Raises as `image`.
        """
        return self._store.pixels.read(self._file_rows(rows))

    def cohort(self, i):
        """What was asked for in sample `i`: dict of attribute to name; an attribute that was left open is absent.

        A place between two codes has its number as name, such as `2.5`.
        """
        row = self._file_row(i)
        names = {attribute: self._store.cohort(attribute).name(row) for attribute in self.attributes}
        return {attribute: name for attribute, name in names.items() if name != "unspecified"}

    @property
    def cohorts(self):
        """What was asked for: dict of attribute to an array of names [n]; `unspecified` where it was left open."""
        named = {attribute: self.named(attribute) for attribute in self.attributes}
        return {attribute: np.array(names)[which] for attribute, (names, which) in named.items()}

    def members(self, attribute):
        """The codes of an attribute by name: dict."""
        return dict(self._store.members[attribute])

    def codes(self, attribute):
        """The codes of an attribute: int16 [n]; -1 is unknown, -2 is unspecified or a place between codes."""
        return self._of(self._store.cohort(attribute).codes)

    def named(self, attribute):
        """The names of an attribute and which of them each sample has: (list of text, int64 [n])."""
        names, which = self._store.cohort(attribute).named()
        return names, self._of(which)

    @property
    def requests(self):
        """Places on the line of codes that were asked for: dict of ordinal attribute to float32 [n], NaN for none."""
        return {attribute: self._of(self._store.column(f"cohort_request/{attribute}")) for attribute in ORDINALS}

    def counts(self, attribute):
        """How many samples have each name of an attribute: dict in the order of codes, without names that none has."""
        names, which = self.named(attribute)
        return {name: count for name, count in zip(names, np.bincount(which, minlength=len(names)).tolist()) if count}

    def column(self, name):
        """A column of `/provenance`, such as `seed`: [n, ...] of the file's type."""
        return self._of(self._store.column(f"provenance/{name}"))

    def provenance(self, i):
        """Where sample `i` comes from: dict.

        asked: the request that names several values, such as `age_band=70-79|80+`, or None where the cohort is all that
        was asked for. original: the row in the file of the sample that this one shows in another cohort, or None. seed,
        index: int. digest: SHA-256 of its pixels in hexadecimal. run: dict of all fields of
        `/runs`, with `warnings` as a dict that is empty for none. model: dict of digest, manifest, lineage and prov.
        site_weights: dict of site to its share. synthetic: bool. digital_source_type, licence, attribution: text. `run`
        and `model` are shared: do not change them.
        """
        row, store = self._file_row(i), self._store
        run = store.runs[store.column("provenance/run")[row]]
        weights = store.column("provenance/site_weight")[row].tolist()
        return {
            "asked": store.asked(row),
            "original": store.original(row),
            "seed": int(store.column("provenance/seed")[row]),
            "index": int(store.column("provenance/index")[row]),
            "digest": store.column("provenance/digest")[row].tobytes().hex(),
            "run": run,
            "model": store.model(run["model_digest"]),
            "site_weights": dict(zip(self.site_names, weights)),
            "synthetic": True,
            "digital_source_type": store.digital_source_type,
            "licence": self.terms.licence,
            "attribution": self.terms.attribution,
        }

    def verify_user_block(self):
        """Compares SHA-256 of all bytes behind the first 512 with the one that stands there; of the index, where there
        are shards.

        Raises SampleSetError where they differ: every row is in doubt then.
        """
        self._store.verify_user_block()

    def verify(self, rows=None):
        """Compares SHA-256 of the pixels of `rows` (None: all of this set) with the digests in the file.

        With None, the shards that hold them are compared with their digests first.

        Raises SampleSetError naming rows of the file.
        """
        wanted = self.rows if rows is None else self._file_rows(rows)
        if rows is None:
            self._store.pixels.verify_shards(wanted)
        self._store.pixels.verify(wanted, self._store.digests)

    def to_pandas(self):
        """One row a sample as a pandas.DataFrame: see `fovea_samples.table.frame`. Raises ImportError where pandas is
        absent."""
        from .table import frame

        return frame(self)

    def close(self):
        """Closes the file, for all views, too."""
        self._store.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __repr__(self):
        return f"<SampleSet {self.path}: {len(self)} samples of {self.width} x {self.height} pixels>"

    def _of(self, column):
        return column.copy() if self._rows is None else column[self._rows]

    def _file_row(self, i):
        return int(self._file_rows([operator.index(i)])[0])

    def _file_rows(self, rows):
        rows = np.asarray(rows)
        if rows.ndim != 1 or rows.size and rows.dtype.kind not in "iu":
            raise TypeError(f"rows must be whole numbers in one dimension, not {rows.dtype} {list(rows.shape)}")
        rows = rows.astype(np.int64)
        outside = rows[(rows < -len(self)) | (rows >= len(self))]
        if outside.size:
            raise IndexError(f"{self.path}: sample {outside[0]} of {len(self)}")
        rows = np.where(rows < 0, rows + len(self), rows)
        return rows if self._rows is None else self._rows[rows]
