"""Photographs and synthetic samples together, for training and for a fair comparison."""

import operator

import numpy as np

from .errors import SampleSetError, mismatch
from .photographs import PhotographSet
from .sample_set import SampleSet


class RealAndSynthetic:
    """The splits of a data set, with synthetic samples in the train split alone.

    `real`: a PhotographSet with all its splits, or a filtered view of it. `synthetic`: a SampleSet or a view of one, or
    None to train on the photographs alone. Where photographs are a whole number of times as large as samples, they are
    reduced to the samples' size by the mean of blocks.

    The holdout is handed out as `holdout` and is in nothing that is for training. No patient is in two splits: a data
    set that says otherwise is not opened.

    Raises TypeError for anything else, SampleSetError where sizes do not fit.
    """

    def __init__(self, real, synthetic=None):
        if not isinstance(real, PhotographSet):
            raise TypeError(f"real: expected a data set that fovea_samples.open gave, found {type(real).__name__}")
        if synthetic is not None and not isinstance(synthetic, SampleSet):
            raise TypeError(f"synthetic: expected a sample set or None, found {type(synthetic).__name__}")
        size = (real if synthetic is None else synthetic).height, (real if synthetic is None else synthetic).width
        self.train = Together(real.split("train"), synthetic, size)
        self.validation = Together(real.split("validation"), None, size)
        self.holdout = Together(real.split("holdout"), None, size)


class Together:
    """Photographs of one split, and behind them synthetic samples, if there are any. Item i is a picture."""

    def __init__(self, real, synthetic, size):
        self._real, self._synthetic = real, synthetic
        self.height, self.width = size
        if real.height % self.height or real.width % self.width or real.height // size[0] != real.width // size[1]:
            raise mismatch(
                real.path,
                "size",
                f"a whole number of times {self.width} x {self.height}, the samples' size",
                f"{real.width} x {real.height}",
            )

    def __len__(self):
        return len(self._real) + self._count

    @property
    def _count(self):
        return 0 if self._synthetic is None else len(self._synthetic)

    @property
    def attributes(self):
        """Names of the cohort's attributes: tuple of text."""
        return self._real.attributes

    @property
    def is_synthetic(self):
        """Whether each picture is a synthetic sample: bool [n]."""
        return np.arange(len(self)) >= len(self._real)

    @property
    def patients(self):
        """Keys of the photographs' patients, and `None` for samples: object [n]."""
        return np.concatenate([self._real.patients.astype(object), np.full(self._count, None, object)])

    def codes(self, attribute):
        """The codes of an attribute: int16 [n]; below 0 for what is unknown or was not asked for.

        Names of open attributes, such as cameras, have the codes that the photographs' file gives them; a name that it
        does not have is unknown.
        """
        real = self._real.codes(attribute)
        if self._synthetic is None:
            return real
        names, known = self._synthetic.members(attribute), self._real.members(attribute)
        codes = self._synthetic.codes(attribute)
        table = {code: known.get(name, -1) if code >= 0 else code for name, code in names.items()}
        return np.concatenate([real, np.array([table[code] for code in codes.tolist()], np.int16)])

    def image(self, i):
        """Picture `i`, RGB: uint8 [height, width, 3]. Negative numbers count from the end."""
        i = operator.index(i)
        if not -len(self) <= i < len(self):
            raise IndexError(f"{self._real.path}: picture {i} of {len(self)}")
        i %= len(self)
        if i >= len(self._real):
            return self._synthetic.image(i - len(self._real))
        return reduced(self._real.image(i), self._real.height // self.height)

    def __getitem__(self, i):
        return self.image(i)

    def __repr__(self):
        return f"<Together {self._real.path}: {len(self._real)} photographs and {self._count} samples>"


def reduced(picture, factor):
    """A picture whose sides are `factor` times shorter, by the mean of blocks: uint8 [height, width, 3]."""
    if factor == 1:
        return picture
    height, width = picture.shape[0] // factor, picture.shape[1] // factor
    blocks = picture.reshape(height, factor, width, factor, 3).astype(np.float64)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def require_one_split(photographs):
    """Refuses photographs of several splits, which would mix the holdout into a training."""
    found = sorted(set(photographs.splits.tolist()))
    if len(found) > 1:
        raise SampleSetError(
            f"{photographs.path}: expected the photographs of one split, found {', '.join(found)}; choose one with "
            "split('train')"
        )
