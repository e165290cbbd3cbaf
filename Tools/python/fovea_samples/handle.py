"""An HDF5 file that is open once per process."""

import os

import h5py

from .errors import mismatch

BLOCK = 512
"""Bytes of the user block before HDF5's own."""


class Handle:
    """The HDF5 file at `path`, opened when it is first used and again in every process that it is carried to.

    A process that was forked shares the file with its parent, so what it inherited is closed there and opened anew.
    A copy (pickle, copy) is not open. Whenever the file is opened, its first 512 bytes, which hold the digest of the
    rest, must be those that were there at first: a file that was replaced meanwhile is refused.
    """

    def __init__(self, path):
        self.path = os.path.abspath(os.fspath(path))
        self._block = self._first_block()
        self._file = self._pid = None
        self._closed = False

    @property
    def file(self):
        """The open h5py.File. Raises SampleSetError, or ValueError after `close`."""
        if self._pid != os.getpid():
            if self._closed:
                raise ValueError(f"{self.path}: the sample set is closed")
            self.release()
            if self._first_block() != self._block:
                raise mismatch(self.path, "file", "the one that was opened first", "another under the same name")
            try:
                self._file = h5py.File(self.path, "r")
            except OSError as error:
                raise mismatch(self.path, "file", "HDF5", f"what HDF5 cannot open ({error})") from error
            self._pid = os.getpid()
        return self._file

    def release(self):
        """Closes the file until it is used again."""
        if self._file is not None:
            self._file.close()
        self._file = self._pid = None

    def close(self):
        """Closes the file for good."""
        self.release()
        self._closed = True

    def _first_block(self):
        with open(self.path, "rb") as raw:
            return raw.read(BLOCK)

    def __getstate__(self):
        return {"path": self.path, "_block": self._block}

    def __setstate__(self, state):
        self.__dict__.update(state, _file=None, _pid=None, _closed=False)
