#!/usr/bin/env python3
"""Nearest neighbours of samples in pixels: among themselves, and in the train split of data sets.

Usage: Tools/python/nearest.py SAMPLES.h5 DATASET.h5 [DATASET.h5 ...]

Pictures are brought to the samples' size by averaging; photographs are compared mirrored, too. Prints root-mean-square
differences of channels in 0 to 255: how near the nearest other sample is, how near the nearest training photograph is,
and, for comparison, how near each validation and holdout photograph is to its nearest training photograph. A sample
that is nearer to training than any unseen photograph is one to look at. This is a first look, not an audit.
"""

import sys

import h5py
import numpy


def pictures(images: numpy.ndarray, size: int) -> numpy.ndarray:
    """[N, H, W, 3] -> [N, size * size * 3] by averaging whole blocks."""
    count, height = images.shape[:2]
    block = height // size
    if block * size != height:
        sys.exit(f"pictures of {height} pixels are no multiple of {size}")
    averaged = images.astype(numpy.float32).reshape(count, size, block, size, block, 3).mean(axis=(2, 4))
    return averaged.reshape(count, -1)


def distances(a: numpy.ndarray, b: numpy.ndarray) -> numpy.ndarray:
    """Root-mean-square differences, [len(a), len(b)]."""
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2 * a @ b.T
    return numpy.sqrt(numpy.maximum(squares, 0) / a.shape[1])


def summary(name: str, values: numpy.ndarray) -> None:
    quartiles = numpy.percentile(values, [0, 25, 50, 75, 100])
    print(f"{name:<42}" + " ".join(f"{value:7.2f}" for value in quartiles))


def main(samples_path: str, dataset_paths: list[str]) -> None:
    with h5py.File(samples_path) as file:
        samples = file["images"][:]
    size = samples.shape[1]
    seen, unseen = [], []
    for path in dataset_paths:
        with h5py.File(path) as file:
            images, split = pictures(file["images"][:], size), file["split"][:]
        seen.append(images[split == 0])
        unseen.append(images[split != 0])
    train = numpy.concatenate(seen)
    mirrored = train.reshape(-1, size, size, 3)[:, :, ::-1].reshape(len(train), -1)
    gallery = numpy.concatenate([train, mirrored])
    queries = pictures(samples, size)

    among = distances(queries, queries)
    numpy.fill_diagonal(among, numpy.inf)
    print(
        f"{'nearest in RMS of 0 to 255':<42}"
        + " ".join(f"{name:>7}" for name in ["least", "25 %", "median", "75 %", "most"])
    )
    summary("sample to other samples", among.min(1))
    summary("sample to training photographs", distances(queries, gallery).min(1))
    summary("unseen photograph to training photographs", distances(numpy.concatenate(unseen), gallery).min(1))
    print(f"{len(queries)} samples, {len(train)} training photographs, {sum(map(len, unseen))} unseen")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
