"""A Frechet distance between photographs and samples, in features that need no downloaded network.

    frechet.py REAL.h5[,REAL.h5...] SAMPLES.h5...

Features of a picture (112): mean red, green and blue in 16 cells of a 4 x 4 grid; and in 4 quadrants the logarithm of
the green channel's energy through Gabor filters of 4 widths and 4 directions, which is where vessels and grain show.
Standardised by the train split of REAL, then |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) (Frechet 1957; Heusel et al.
2017 with a network's features).

The first line compares the train split with the validation and holdout splits: what photographs that no model drew are
apart. A sample set is drawn down to the size that --size names before it is measured, and REAL is, too. Distances
depend on how many pictures there are (fewer are further apart), so compare sets of one size.

Needs numpy, scipy and h5py.
"""

import argparse
import json

import h5py
import numpy
import scipy.linalg
import scipy.signal


def resized(images, size):
    """[N, H, W, 3] by means of whole blocks."""
    block = images.shape[1] // size
    if block <= 1:
        return images.astype("float32")
    n = len(images)
    return images.reshape(n, size, block, size, block, 3).mean((2, 4)).astype("float32")


def gabor(width, direction):
    half = int(3 * width)
    y, x = numpy.mgrid[-half : half + 1, -half : half + 1].astype("float32")
    along = x * numpy.cos(direction) + y * numpy.sin(direction)
    kernel = numpy.exp(-(x**2 + y**2) / (2 * width**2)) * numpy.cos(2 * numpy.pi * along / (3 * width))
    kernel -= kernel.mean()
    return kernel / numpy.sqrt((kernel**2).sum())


def features(images):
    n, size = len(images), images.shape[1]
    cell, half = size // 4, size // 2
    columns = [images.reshape(n, 4, cell, 4, cell, 3).mean((2, 4)).reshape(n, -1) / 255]
    green = images[..., 1] / 255
    for width in (0.7, 1.2, 2.0, 3.5):
        for direction in range(4):
            kernel = gabor(width, numpy.pi * direction / 4)
            energy = numpy.stack([scipy.signal.fftconvolve(picture, kernel, mode="same") ** 2 for picture in green])
            columns.append(numpy.log(energy.reshape(n, 2, half, 2, half).mean((2, 4)).reshape(n, -1) + 1e-6))
    return numpy.concatenate(columns, axis=1).astype("float64")


def distance(a, b):
    difference = a.mean(0) - b.mean(0)
    ca, cb = numpy.cov(a.T), numpy.cov(b.T)
    # The trace of the root of a product of two symmetric matrices, through one that is symmetric.
    root = scipy.linalg.sqrtm(ca).real
    eigenvalues = numpy.linalg.eigvalsh(root @ cb @ root)
    return float(
        difference @ difference + numpy.trace(ca) + numpy.trace(cb) - 2 * numpy.sqrt(eigenvalues.clip(0)).sum()
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", help="data sets, separated by commas")
    parser.add_argument("samples", nargs="*")
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    train, rest = [], []
    for path in arguments.real.split(","):
        with h5py.File(path) as file:
            images, split = resized(file["images"][:], arguments.size), file["split"][:]
            train.append(images[split == h5py.check_enum_dtype(file["split"].dtype)["train"]])
            rest.append(images[split != h5py.check_enum_dtype(file["split"].dtype)["train"]])
    a = features(numpy.concatenate(train))
    mean, deviation = a.mean(0), a.std(0) + 1e-6
    a = (a - mean) / deviation
    b = (features(numpy.concatenate(rest)) - mean) / deviation
    print(
        json.dumps(
            {"photographs that were not trained on": round(distance(a, b), 2), "train": len(a), "others": len(b)}
        ),
        flush=True,
    )
    for path in arguments.samples:
        with h5py.File(path) as file:
            c = (features(resized(file["images"][:], arguments.size)) - mean) / deviation
        print(json.dumps({path: round(distance(a, c), 2), "samples": len(c)}), flush=True)


if __name__ == "__main__":
    main()
