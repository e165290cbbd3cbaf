"""Denoising errors of BM3D on the validation split, by noise level and by region, as JSON.

    denoising_baseline --data SITE.h5 [--data SITE.h5...] --size 256 [--count N] --out baseline.json

Pixels are v / 127.5 - 1 for bytes v; pictures are brought to --size by PIL's BOX filter (area means) where they
have another. White Gaussian noise of deviation sigma, drawn for each pixel and channel, is added and BM3D in colour
(K. Dabov et al., IEEE TIP 16(8), 2007; Y. Makinen et al., IEEE TIP 29, 2020: the package bm3d) takes it away, told
sigma. An error is the root mean square over all pixels, channels and photographs of a region of what is left.

Regions, by the signed distance d from a pixel's centre to the boundary of the field of view (positive inside;
realism_pictures.py): `edge` |d| <= size / 64, `eye` d > size / 64, `surround` d < -size / 64, `all` everything.
"""

import argparse
import json
import os
import pathlib
import sys
import time

import numpy as np
from PIL import Image

import realism_pictures

SIGMAS = [0.016, 0.05, 0.1, 0.2]


def photographs(paths, size, count):
    """float [size, size, 3] and its regions, for `count` photographs of the validation splits, evenly spread (None:
    all)."""
    found = realism_pictures.Photographs(paths)
    rows = found.rows(["validation"])
    if len(rows) == 0:
        raise realism_pictures.Refused("The validation splits are empty.")
    if count is not None and count < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]
    scale = size / found.images.shape[1]
    for row in rows:
        picture = realism_pictures.resized(found.images[row : row + 1], size, Image.Resampling.BOX)[0]
        yield picture / 127.5 - 1, realism_pictures.regions(found.field[row] * scale, size)


class Errors:
    """Sums of squares and numbers of values by region."""

    def __init__(self):
        self.squares, self.values = {}, {}

    def add(self, difference, regions):
        squares = (difference**2).sum(axis=2)
        for name, mask in regions.items():
            self.squares[name] = self.squares.get(name, 0.0) + float(squares[mask].sum())
            self.values[name] = self.values.get(name, 0) + 3 * int(mask.sum())

    def roots(self):
        """Root mean squares; None for a region without a pixel."""
        return {
            name: round((total / self.values[name]) ** 0.5, 6) if self.values[name] else None
            for name, total in self.squares.items()
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", required=True, metavar="SITE.h5")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--count", type=int, help="so many photographs instead of all")
    parser.add_argument("--sigmas", type=float, nargs="+", default=SIGMAS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    try:
        pictures = list(photographs(arguments.data, arguments.size, arguments.count))
    except realism_pictures.Refused as refused:
        sys.exit(str(refused))
    import bm3d

    random, started = np.random.default_rng(arguments.seed), time.monotonic()
    errors = {sigma: Errors() for sigma in arguments.sigmas}
    for number, (picture, regions) in enumerate(pictures, 1):
        for sigma in arguments.sigmas:
            noisy = picture + sigma * random.standard_normal(picture.shape)
            errors[sigma].add(bm3d.bm3d_rgb(noisy, sigma) - picture, regions)
        print(
            f"{number} of {len(pictures)} photographs, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True
        )
    result = {
        "name": "BM3D",
        "size": arguments.size,
        "photographs": len(pictures),
        "errors": [{"sigma": sigma, **found.roots()} for sigma, found in errors.items()],
    }
    unfinished = arguments.out.with_name(arguments.out.name + ".unfinished")
    unfinished.write_text(json.dumps(result, indent=2) + "\n")
    os.replace(unfinished, arguments.out)
    for row in result["errors"]:
        print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
