"""The spectrum of the green channel inside the eye, by octaves of frequency.

Patches of half the picture's side, a sixteenth of the side apart, of which every pixel lies inside the eye; each is
freed of its mean, weighted by a Hann window and Fourier-transformed. Power is averaged over the patches of a
picture and over rings of one octave: (1/4, 1/2] cycles per pixel is the finest, four more lie below it, each half
as fine. Corners of the spectrum beyond 1/2 do not count.
"""

import numpy as np

import realism_pictures

OCTAVES = 5


def edges():
    """(low, high] in cycles per pixel, coarse to fine."""
    return [(2.0 ** -(k + 1), 2.0**-k) for k in range(OCTAVES, 0, -1)]


def names():
    return [f"1/{round(1 / low)}-1/{round(1 / high)}" for low, high in edges()]


def patches(mask, side, step):
    """Top left corners (row, column) of the squares of `side` pixels that lie wholly inside `mask`."""
    size = mask.shape[0]
    total = np.pad(np.cumsum(np.cumsum(mask.astype(np.int64), 0), 1), ((1, 0), (1, 0)))
    places = range(0, size - side + 1, step)
    return [
        (y, x)
        for y in places
        for x in places
        if total[y + side, x + side] - total[y, x + side] - total[y + side, x] + total[y, x] == side * side
    ]


def power(picture, mask):
    """Float [OCTAVES]: mean power of the green channel in each octave, coarse to fine; NaN where no patch fits."""
    size = picture.shape[0]
    side, step = size // 2, max(1, size // 16)
    window = np.hanning(side + 1)[:-1]
    window = np.outer(window, window)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    green, sums, count = picture[..., 1].astype(np.float64), 0, 0
    for y, x in patches(realism_pictures.shrunk(mask, size / 64), side, step):
        part = green[y : y + side, x : x + side]
        part = (part - (part * window).sum() / window.sum()) * window
        sums, count = sums + np.abs(np.fft.fft2(part)) ** 2, count + 1
    if count == 0:
        return np.full(OCTAVES, np.nan)
    mean = sums / count / (window**2).sum()
    return np.array([mean[(frequency > low) & (frequency <= high)].mean() for low, high in edges()])


def powers(images, masks):
    """Float [N, OCTAVES]."""
    return np.stack([power(picture, mask) for picture, mask in zip(images, masks)])


def ratio(synthetic, photographs):
    """Float [OCTAVES]: the ratio of the geometric means over pictures, so that one noisy picture does not rule."""

    def level(values):
        return np.nanmean(np.log(values + 1e-9), axis=0)

    return np.exp(level(synthetic) - level(photographs))
