#!/usr/bin/env python3
"""Times opening a large sample set, filtering it and reading one picture, each in a new process.

    measure_opening.py [SAMPLES] [FOLDER]

Writes a set of SAMPLES (100,000) of 64 x 64 pixels, deflate 1 and fletcher32, whole and in ten shards, and drops it
from the page cache where it may. Prints seconds and how much the peak of the process's memory grew.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tests import fixtures  # noqa: E402

CHILD = """
import re, sys, time
import fovea_samples
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) / 1024
before = peak()
start = time.perf_counter()
samples = fovea_samples.open(sys.argv[1])
opened = time.perf_counter()
view = samples.filter(dr_icdr=3)
image = view[len(view) // 2]
end = time.perf_counter()
print(
    f"{sys.argv[1]}: open {opened - start:.3f} s, filter and read {end - opened:.3f} s, {len(view)} rows, "
    f"{peak() - before:.1f} MiB more"
)
"""


def drop(folder):
    """Drops the files of `folder` from the page cache."""
    for name in os.listdir(folder):
        descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def main(count, folder):
    fixtures.HEIGHT = fixtures.WIDTH = 64
    # Four grey values: pictures that are quickly made and compressed.
    fixtures.pixels = lambda n: (
        np.random.default_rng(1).integers(0, 4, (n, 64, 1, 1), np.uint8) * np.ones((1, 1, 64, 3), np.uint8)
    )
    whole = fixtures.write(os.path.join(folder, "whole.h5"), images=fixtures.pixels(count))
    sharded = fixtures.write_sharded(folder, (count // 10,) * 10)
    for _ in range(3):
        for path in (whole, sharded):
            drop(folder)
            for _ in ("cold", "warm"):
                subprocess.run(
                    [sys.executable, "-c", CHILD, path], check=True, env={**os.environ, "PYTHONPATH": sys.path[0]}
                )


if __name__ == "__main__":
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        main(samples, sys.argv[2])
    else:
        with tempfile.TemporaryDirectory() as place:
            main(samples, place)
