#!/usr/bin/env python3
"""Writes the phantoms of a dataset as a folder of photographs with a table of labels, to try `fovea import` on.

    phantom_photographs.py phantoms.h5 FOLDER

Each picture stands off the centre of a wider dark frame, as a camera would have it. labels.csv has the columns
photograph, patient, grade and eye. Needs h5py and nothing else.
"""

import csv
import pathlib
import struct
import sys
import zlib

import h5py
import numpy as np


def png(pixels):
    """The bytes of an RGB PNG. `pixels`: uint8 [height, width, 3]."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def main(dataset, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    with h5py.File(dataset, "r") as file, open(folder / "labels.csv", "w", newline="") as table:
        labels = csv.writer(table)
        labels.writerow(["photograph", "patient", "grade", "eye"])
        columns = {name: file[f"cohort/{name}"] for name in ("dr_icdr", "laterality")}
        names = {
            name: {v: k for k, v in h5py.check_enum_dtype(column.dtype).items()} for name, column in columns.items()
        }
        for row, pixels in enumerate(file["images"]):
            side = pixels.shape[0]
            frame = np.full((side + side // 8, side + side // 2, 3), 4, np.uint8)
            left, top = side // 8 + row % 5 * side // 40, side // 16
            frame[top : top + side, left : left + side] = np.maximum(pixels, 4)
            name = f"photograph-{row + 1:04d}.png"
            (folder / name).write_bytes(png(frame))
            patient = file["patient"].asstr()[row]
            labels.writerow([name, patient] + [names[n][int(c[row])] for n, c in columns.items()])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
