"""What was asked for: codes, their names, and places between codes such as 2.5."""

from collections.abc import Iterable

import numpy as np

from .checks import ORDINALS
from .errors import mismatch

UNSPECIFIED = -2
"""Code of an attribute that was left open, in `/cohort`; of one that was asked for as a place between codes, too."""


class CohortColumn:
    """One attribute of all samples of a file.

    `codes`: int16 [N]. `requests`: float32 [N] for ordinal attributes, NaN where no place was asked for; else None.
    """

    def __init__(self, path, attribute, members, codes, requests):
        self._path, self._attribute = path, attribute
        self._members = dict(sorted(members.items(), key=lambda member: (member[1] < 0, member[1])))
        self._names = {code: name for name, code in members.items()}
        self.codes, self.requests = codes, requests
        strange = np.setdiff1d(codes, list(members.values()))
        if strange.size:
            raise mismatch(path, f"/cohort/{attribute}", "codes that have a name", strange[0])

    def name(self, row):
        """The name that the sample in `row` has."""
        if self.codes[row] == UNSPECIFIED and self.requests is not None and not np.isnan(self.requests[row]):
            return f"{self.requests[row]:g}"
        return self._names[int(self.codes[row])]

    def named(self):
        """All names, and which of them each sample has: (list of text, int64 [N]).

        Names of codes come first, those of negative codes (unspecified, unknown) after them, and then places between
        codes that were asked for, such as `2.5`.
        """
        positions = {name: position for position, name in enumerate(self._members)}
        present, inverse = np.unique(self.codes, return_inverse=True)
        which = np.array([positions[self._names[code]] for code in present.tolist()], np.int64)[inverse]
        if self.requests is not None:
            between = (self.codes == UNSPECIFIED) & ~np.isnan(self.requests)
            for place in np.unique(self.requests[between]):
                which[between & (self.requests == place)] = positions.setdefault(f"{place:g}", len(positions))
        return list(positions), which

    def matches(self, values):
        """Which samples have one of `values`, names or (ordinal attributes alone) numbers: bool [N].

        Raises SampleSetError naming what there is, where a value is none of it.
        """
        several = isinstance(values, Iterable) and not isinstance(values, str)
        found = np.zeros(len(self.codes), bool)
        for value in values if several else [values]:
            found |= self._having(value)
        return found

    def _having(self, value):
        code = self._members.get(value) if isinstance(value, str) else None
        if code is None:
            return self._at(value)
        found = self.codes == code
        return found & np.isnan(self.requests) if code == UNSPECIFIED and self.requests is not None else found

    def _at(self, value):
        place = self._place(value)
        highest = ORDINALS.get(self._attribute)
        if highest is None or place is None or not 0 <= place <= highest:
            line = "" if highest is None else f" or a number from 0 to {highest}"
            raise mismatch(self._path, self._attribute, f"one of {', '.join(self._members)}{line}", repr(value))
        return (self.codes == place) | (self.requests == place)

    @staticmethod
    def _place(value):
        if isinstance(value, (bool, np.bool_)):
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            return None
