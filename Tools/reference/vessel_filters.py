"""Compares published unsupervised vessel filters on the photographs of CHASE_DB1.

    python3 Tools/reference/vessel_filters.py FOLDER [--sizes 256 512 0] [--pictures 28]

FOLDER holds images/*.jpg and vessels/*.png (a human observer's mask). Prints the area under the ROC curve inside the
field of view, pooled over all pictures, of every filter at every size (longest side in pixels; 0: as it is). All
filters see the same normalised green channel. Needs numpy, scipy and pillow.

Filters:
- frangi: A. Frangi et al., "Multiscale vessel enhancement filtering", MICCAI 1998, eq. 13 and 15 (2D), beta 0.5.
- matched: S. Chaudhuri et al., IEEE TMI 8(3), 1989: Gaussian profile along a segment, zero mean, 12 directions.
- gabor: J. Soares et al., IEEE TMI 25(9), 2006: Morlet wavelet of elongation 4, wave number 3, largest modulus.
- lines: U. Nguyen et al., Pattern Recognition 46(3), 2013: basic line detectors of all lengths, each standardised,
averaged.
- bcosfire: G. Azzopardi et al., Medical Image Analysis 19(1), 2015: blurred, shifted responses, geometric mean.
- derivative: second derivative of a Gaussian across, averaged along a segment (what Sources/RetinalMatching does).
"""

import argparse
import pathlib

import numpy as np
from PIL import Image
from scipy import ndimage, signal

DIRECTIONS = 12


def fieldOfView(rgb):
    """[H, W] bool: lit pixels, holes filled, the rim eroded by 1.5 % of the side."""
    lit = ndimage.gaussian_filter(rgb.astype(np.float32).max(axis=2), 1) > 20
    labels, count = ndimage.label(lit)
    if count > 1:
        sizes = ndimage.sum(lit, labels, range(1, count + 1))
        lit = labels == 1 + int(np.argmax(sizes))
    return ndimage.binary_fill_holes(lit)


def normalised(rgb, inside, share=0.06):
    """Dark vessels as positive values: (local mean - green) / local deviation, weighted by the field of view; 0
    outside."""
    green = rgb[..., 1].astype(np.float64)
    sigma = share * max(green.shape)
    weight = ndimage.gaussian_filter(inside.astype(np.float64), sigma) + 1e-6
    mean = ndimage.gaussian_filter(green * inside, sigma) / weight
    residual = (mean - green) * inside
    wide = ndimage.gaussian_filter(inside.astype(np.float64), 2 * sigma) + 1e-6
    deviation = np.sqrt(ndimage.gaussian_filter(residual**2, 2 * sigma) / wide)
    return residual / (deviation + 1e-3 * 255)


def convolve(image, kernel):
    return signal.fftconvolve(image, kernel[::-1, ::-1], mode="same")


def grid(reach):
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    return x, y


def directions(count=DIRECTIONS):
    return np.arange(count) * np.pi / count


def frangi(image, unit):
    best = np.zeros_like(image)
    for sigma in np.array([0.9, 1.3, 1.9, 2.7]) * unit:
        xx = ndimage.gaussian_filter(image, sigma, order=(0, 2)) * sigma**2
        yy = ndimage.gaussian_filter(image, sigma, order=(2, 0)) * sigma**2
        xy = ndimage.gaussian_filter(image, sigma, order=(1, 1)) * sigma**2
        half, root = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
        a, b = half + root, half - root
        swap = np.abs(a) > np.abs(b)
        small, large = np.where(swap, b, a), np.where(swap, a, b)
        structure = small**2 + large**2
        c = np.sqrt(structure.max()) / 2 / 4
        value = np.exp(-((small / np.where(large == 0, 1, large)) ** 2) / (2 * 0.5**2)) * (
            1 - np.exp(-structure / (2 * c**2))
        )
        best = np.maximum(best, np.where(large < 0, value, 0))
    return best


def matched(image, unit):
    best = np.full_like(image, -np.inf)
    for sigma, length in ((1.0, 7), (1.6, 9), (2.4, 11)):
        sigma, length = sigma * unit, length * unit
        reach = int(np.ceil(max(3 * sigma, length / 2) * 1.2))
        x, y = grid(reach)
        for angle in directions():
            u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
            window = (np.abs(u) <= length / 2) & (np.abs(v) <= 3 * sigma)
            kernel = np.exp(-(v**2) / (2 * sigma**2)) * window
            kernel = np.where(window, kernel - kernel[window].mean(), 0)
            best = np.maximum(best, convolve(image, kernel / np.linalg.norm(kernel)))
    return best


def gabor(image, unit, elongation=4.0, wave=3.0):
    best = np.zeros_like(image)
    for scale in np.array([1.0, 1.6, 2.4, 3.2]) * unit:
        reach = int(np.ceil(3 * scale * np.sqrt(elongation)))
        x, y = grid(reach)
        for angle in directions(18):
            u, v = (x * np.cos(angle) + y * np.sin(angle)) / scale, (-x * np.sin(angle) + y * np.cos(angle)) / scale
            envelope = np.exp(-(u**2 / elongation + v**2) / 2)
            kernel = envelope * np.cos(wave * v / 1.6)
            kernel -= envelope * kernel.sum() / envelope.sum()
            best = np.maximum(best, convolve(image, kernel / scale**1.0))
    return best


def lines(image, unit, window=15):
    window = max(5, int(round(window * unit)) | 1)
    mean = ndimage.uniform_filter(image, window)
    total = image / image.std()
    lengths = range(1, window + 1, max(2, 2 * round(unit)))
    for length in lengths:
        reach = length // 2
        best = np.full_like(image, -np.inf)
        for angle in directions():
            kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
            for t in range(-reach, reach + 1):
                kernel[reach + int(round(t * np.sin(angle))), reach + int(round(t * np.cos(angle)))] += 1
            best = np.maximum(best, convolve(image, kernel / kernel.sum()))
        response = best - mean
        total = total + (response - response.mean()) / response.std()
    return total / (len(list(lengths)) + 1)


def shifted(image, dx, dy):
    return ndimage.shift(image, (-dy, -dx), order=1, mode="nearest")


def bcosfire(image, unit):
    best = np.zeros_like(image)
    for sigma in (1.5 * unit, 2.4 * unit):
        dog = np.maximum(0, ndimage.gaussian_filter(image, sigma / 2) - ndimage.gaussian_filter(image, sigma))
        rhos = np.arange(-4, 5, 2) * unit * 1.1
        weights = np.exp(-(rhos**2) / (2 * (np.abs(rhos).max() / 3) ** 2))
        for angle in directions():
            logarithm = 0
            for rho, weight in zip(rhos, weights):
                blurred = ndimage.gaussian_filter(dog, (0.6 + 0.1 * abs(rho) / unit) * unit)
                logarithm = logarithm + weight * np.log(
                    shifted(blurred, rho * np.cos(angle), rho * np.sin(angle)) + 1e-3
                )
            best = np.maximum(best, np.exp(logarithm / weights.sum()))
    return best


def derivative(image, unit, sigmas=(0.9, 1.4, 2.2), halfLengths=(4.0, 5.0, 6.0), combine="sum"):
    total = 0
    for sigma, half in zip(np.array(sigmas) * unit, np.array(halfLengths) * unit):
        xx = ndimage.gaussian_filter(image, sigma, order=(0, 2))
        yy = ndimage.gaussian_filter(image, sigma, order=(2, 0))
        xy = ndimage.gaussian_filter(image, sigma, order=(1, 1))
        best = np.full_like(image, -np.inf)
        for angle in directions():
            c, s = np.cos(angle), np.sin(angle)
            # The segment runs along (c, s); the derivative is taken across it.
            across = -(s * s * xx - 2 * s * c * xy + c * c * yy) * sigma**2
            steps = np.arange(-4, 5) / 4 * half
            weights = np.exp(-(steps**2) / (2 * (0.6 * half) ** 2))
            response = sum(w * shifted(across, t * c, t * s) for w, t in zip(weights, steps)) / weights.sum()
            best = np.maximum(best, response)
        if combine == "sum":
            total = total + best
        else:
            total = np.maximum(total, best)
    return total


FILTERS = {f.__name__: f for f in (frangi, matched, gabor, lines, bcosfire, derivative)}


def auc(positive, negative):
    """Mann-Whitney, exact with ties by ranks."""
    values = np.concatenate([positive, negative])
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    return (ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512, 0])
    parser.add_argument("--pictures", type=int, default=28)
    parser.add_argument("--filters", nargs="*", default=list(FILTERS))
    arguments = parser.parse_args()
    names = sorted((arguments.folder / "images").glob("*.jpg"))[: arguments.pictures]
    for size in arguments.sizes:
        answers = {name: ([], []) for name in arguments.filters}
        for path in names:
            picture = Image.open(path).convert("RGB")
            mask = Image.open(arguments.folder / "vessels" / (path.stem + ".png")).convert("L")
            if size:
                shape = tuple(round(side * size / max(picture.size)) for side in picture.size)
                picture, mask = picture.resize(shape, Image.BOX), mask.resize(shape, Image.BOX)
            rgb, vessel = np.asarray(picture), np.asarray(mask) > 127
            inside = fieldOfView(rgb)
            image = normalised(rgb, inside)
            unit = max(rgb.shape) / 256
            rim = ndimage.binary_erosion(inside, iterations=max(2, round(0.01 * max(rgb.shape))))
            for name in arguments.filters:
                response = FILTERS[name](image, unit)
                answers[name][0].append(response[rim & vessel])
                answers[name][1].append(response[rim & ~vessel])
        for name, (positive, negative) in answers.items():
            pooled = auc(np.concatenate(positive), np.concatenate(negative))
            each = np.mean([auc(p, n) for p, n in zip(positive, negative)])
            print(
                f"{size or 'native'} {name}: AUC {pooled:.4f} pooled, {each:.4f} mean over {len(names)} pictures",
                flush=True,
            )


if __name__ == "__main__":
    main()
