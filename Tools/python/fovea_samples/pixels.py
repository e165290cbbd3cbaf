"""Where a set's pictures lie, in the file itself or in shards, and how they are read."""

import collections
import hashlib
import os

import numpy as np

from . import checks
from .errors import SampleSetError, listed, mismatch
from .handle import Handle

OPEN_SHARDS = 32
"""Shards that are kept open at a time: folders may hold more of them than a process may have files."""
BYTES_AT_ONCE = 1 << 24


class Pixels:
    """The pictures of a sample set, uint8 [N, height, width, 3].

    They lie in one or several files that follow each other: the set's own or, where it has `/shards`, the files that
    are named there. HDF5 would read zeros for a shard that is missing, so shards are opened by name and never through
    the virtual dataset.
    """

    def __init__(self, handle):
        file = handle.file
        sharded = "shards" in file
        self.path = handle.path
        self.shape = checks.require_images(file, handle.path, virtual=sharded)
        self._pieces, samples, self._digests = _shards(handle) if sharded else ([handle], self.shape[:1], [])
        self._open = collections.OrderedDict()
        self._starts = np.concatenate([[0], np.cumsum(samples, dtype=np.int64)])
        if self._starts[-1] != self.shape[0]:
            raise mismatch(
                self.path, "/shards/samples", f"{self.shape[0]} in all, the rows of /images", self._starts[-1]
            )
        for piece in range(len(self._digests)):
            self._images(piece)

    def read(self, rows, structure=None):
        """The pictures of `rows` (int64 [n], each of them there) in that order: uint8 [n, height, width, 3]; or their
        maps of one structure: uint8 [n, height, width]."""
        name = f"structure/{structure}" if structure else "images"
        out = np.empty((len(rows),) + (self.shape[1:3] if structure else self.shape[1:]), np.uint8)
        pieces = np.searchsorted(self._starts, rows, side="right") - 1
        # Neighbours in one file are read at once.
        breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(pieces) != 0)) + 1
        edges = [0, *breaks.tolist(), len(rows)] if len(rows) else []
        for first, end in zip(edges, edges[1:]):
            start = int(rows[first] - self._starts[pieces[first]])
            images = self._images(int(pieces[first]))
            if structure:
                images = self._pieces[int(pieces[first])].file[name]
            try:
                images.read_direct(out, np.s_[start : start + end - first], np.s_[first:end])
            except OSError as error:
                span = f"row {rows[first]}" if end - first == 1 else f"rows {rows[first]} to {rows[end - 1]}"
                raise SampleSetError(f"{self.path}: /{name}, {span}: cannot be read ({error})") from error
        return out

    def verify(self, rows, digests):
        """Reads `rows` and compares SHA-256 of each with `digests` (uint8 [N, 32]).

        Raises SampleSetError naming the rows that differ or cannot be read.
        """
        bad = []
        step = max(1, BYTES_AT_ONCE // int(np.prod(self.shape[1:])))
        for first in range(0, len(rows), step):
            some = rows[first : first + step]
            wanted = digests(some)
            bad += [int(row) for row, digest in zip(some, wanted) if self._digest(row) != digest.tobytes()]
        if bad:
            raise mismatch(
                self.path, "/images", "pixels with the SHA-256 in /provenance/digest", f"others in row {listed(bad)}"
            )

    def verify_shards(self, rows):
        """Compares SHA-256 of every shard that holds one of `rows` with `/shards/digest`; nothing to do without
        shards."""
        if not self._digests:
            return
        for piece in np.unique(np.searchsorted(self._starts, rows, side="right") - 1):
            digest = hashlib.sha256()
            with open(self._pieces[piece].path, "rb") as raw:
                for part in iter(lambda: raw.read(BYTES_AT_ONCE), b""):
                    digest.update(part)
            if digest.digest() != self._digests[piece]:
                name = os.path.basename(self._pieces[piece].path)
                held = f"rows {self._starts[piece]} to {self._starts[piece + 1] - 1}"
                raise mismatch(
                    self.path, f"shard {name} ({held})", f"SHA-256 {self._digests[piece].hex()}", digest.hexdigest()
                )

    def close(self):
        """Closes all files for good."""
        for piece in self._pieces:
            piece.close()

    def _digest(self, row):
        try:
            return hashlib.sha256(self.read(np.array([row]))).digest()
        except SampleSetError:
            return None

    def _images(self, piece):
        """`/images` of one file; a shard is checked when it is opened first, and again after it was put away for
        others."""
        handle = self._pieces[piece]
        if not self._digests:
            return handle.file["images"]
        if piece in self._open:
            self._open.move_to_end(piece)
            return handle.file["images"]
        while len(self._open) >= OPEN_SHARDS:
            self._pieces[self._open.popitem(last=False)[0]].release()
        shape = checks.require_images(handle.file, handle.path, virtual=False)
        wanted = (int(self._starts[piece + 1] - self._starts[piece]),) + self.shape[1:]
        if shape != wanted:
            handle.release()
            raise mismatch(
                handle.path, "/images", f"shape {wanted}, as the index {os.path.basename(self.path)} says", shape
            )
        self._open[piece] = True
        return handle.file["images"]


def _shards(handle):
    """Handles, numbers of samples and SHA-256 of the files that `/shards` names; refuses what is not there."""
    file, path = handle.file, handle.path
    names = checks.dataset(file, path, "shards/name", str).asstr()[()]
    samples = checks.dataset(file, path, "shards/samples", np.int64, (len(names),))[()]
    digests = checks.dataset(file, path, "shards/digest", np.uint8, (len(names), 32))[()]
    if (samples < 0).any():
        raise mismatch(path, "/shards/samples", "0 or more", samples.min())
    handles = []
    for name in names:
        if name in ("", ".", "..") or set(name) & set("/\\\0"):
            raise mismatch(path, "/shards/name", "the plain name of a file", repr(name))
        try:
            handles.append(Handle(os.path.join(os.path.dirname(path), name)))
        except OSError as error:
            raise mismatch(path, f"shard {name}", "a file beside this one", error.strerror) from error
    return handles, samples, [digest.tobytes() for digest in digests]
