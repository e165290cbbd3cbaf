"""Optic discs and the macula, found by simple filters in pictures that are brought to 128 pixels a side.

A disc is a blob of a disc's size that is brighter than what lies around it, on all sides. The picture, (red +
green) / 2, is closed by a small disc (vessels that cross the optic disc vanish), its logarithm taken, and at every
pixel and for three radii the mean within 0.85 radii is compared with the means in eight sectors of the ring from
1.3 to 2.1 radii; the second least of the eight differences is the place's contrast. Sectors outside the eye are
left out. So neither a gradient nor the rim nor an arcade counts, and a contrast is a ratio of brightness: it does
not depend on the exposure.

A peak of the contrast is a blob. Its strength is what its darkest fifth still has of the contrast: clumps of exudates
are bright on average and ragged, a disc is bright all over. A blob counts as a disc where its strength is at least
STRENGTH and at least RELATIVE of the strongest blob's. Both were chosen on 331 training photographs of IDRiD, 95 % of
which count as one. The sizes are those of 54 outlines of IDRiD's optic discs (radius 0.15 of the eye's, 0.12 to 0.19).
Other cameras fare worse: one disc is counted in 69 % of HRF's photographs, 86 % of CHASE_DB1's and 70 % of FIVES's.
"""

import numpy as np
from PIL import Image
from scipy import fft, ndimage

import realism_pictures

SIDE = 128
# Radii of a disc as shares of the eye's radius.
RADII = (0.11, 0.134, 0.165)
STRENGTH, RELATIVE = 0.053, 0.6
# Two discs are at least so far apart, as a share of the eye's radius.
APART = 0.22
# The macula: distance from the disc in eye's radii, radius of its dark centre, least contrast.
MACULA_DISTANCE, MACULA_RADIUS, MACULA_CONTRAST = (0.5, 1.0), 0.11, 0.04
# Distance from disc to macula where no macula is found, in eye's radii: the median of the photographs where one was.
USUAL_DISTANCE = 0.75


def round_kernel(radius, half):
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    return np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)


def sector_kernels(radius, half, sectors=8):
    """The middle first, then the sectors of the ring."""
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    ring = round_kernel(2.1 * radius, half) - round_kernel(1.3 * radius, half)
    turn = np.floor((np.arctan2(y, x) + np.pi) / (2 * np.pi) * sectors).astype(int) % sectors
    return [round_kernel(0.85 * radius, half)] + [ring * (turn == k) for k in range(sectors)]


def correlated(image, kernels):
    """Sums of `image` weighted by each kernel about each pixel; 0 outside the picture."""
    size, reach = image.shape[0], kernels[0].shape[0]
    length = fft.next_fast_len(size + reach, real=True)
    spectrum = fft.rfft2(image, (length, length))
    found = []
    for kernel in kernels:
        moved = np.zeros((length, length))
        moved[:reach, :reach] = kernel
        moved = np.roll(moved, (-(reach // 2), -(reach // 2)), (0, 1))
        found.append(fft.irfft2(spectrum * np.conj(fft.rfft2(moved)), (length, length))[:size, :size])
    return np.stack(found)


class Scene:
    """A picture at 128 pixels: logarithms of its brightness, the eye inside its rim, and the eye's radius and
    middle (pixels)."""

    def __init__(self, picture, mask):
        small = realism_pictures.resized(picture[None], SIDE)[0].astype(float)
        mask = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize((SIDE, SIDE))) > 127
        self.inside = realism_pictures.shrunk(mask, 1.5)
        columns = np.flatnonzero(mask.any(0))
        rows = np.flatnonzero(mask.any(1))
        self.radius = (columns[-1] - columns[0] + 1) / 2 if len(columns) else 0.0
        self.middle = ((columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2) if len(columns) else (0.0, 0.0)
        closing = round_kernel(0.024 * self.radius, 3) > 0.5
        bright = ndimage.grey_closing((small[..., 0] + small[..., 1]) / 2, footprint=closing)
        self.bright = np.log(bright + 10) * self.inside
        self.green = np.log(small[..., 1] + 10) * self.inside

    def contrast(self, image, radius):
        """How much brighter each place's middle is than the second brightest of the sectors around it; -9 where
        unknown."""
        kernels = sector_kernels(radius, int(np.ceil(2.1 * radius)) + 1)
        whole = np.array([kernel.sum() for kernel in kernels])[:, None, None]
        weight = correlated(self.inside.astype(float), kernels)
        mean = correlated(image, kernels) / np.maximum(weight, 1e-3)
        known = weight[1:] > 0.4 * whole[1:]
        differences = np.sort(np.where(known, mean[:1] - mean[1:], np.inf), axis=0)
        unknown = (weight[0] < 0.6 * whole[0]) | ~self.inside | (known.sum(0) < 5)
        return np.where(unknown, -9.0, differences[1])

    def blobs(self, count=5):
        """[(strength, x, y)] of the bright blobs with the highest contrasts, strongest first; pixels of this scene."""
        if self.radius < 10:
            return []
        radii = [share * self.radius for share in RADII]
        contrasts = np.stack([self.contrast(self.bright, radius) for radius in radii])
        best = contrasts.max(0)
        y, x = np.mgrid[:SIDE, :SIDE]
        found = []
        while len(found) < count and best.max() > 0:
            row, column = np.unravel_index(np.argmax(best), best.shape)
            far = np.hypot(y - row, x - column)
            within = self.bright[(far <= 0.85 * radii[contrasts[:, row, column].argmax()]) & self.inside]
            strength = best[row, column] - within.mean() + np.quantile(within, 0.2)
            found.append((float(strength), float(column), float(row)))
            best[far < APART * self.radius] = -9
        return sorted(found, reverse=True)

    def macula(self, disc):
        """(x, y) of the macula that belongs to `disc` (x, y), or None: the darkest blob of the green channel at a usual
        distance from the disc, towards the middle of the eye and at most 25 degrees up or down."""
        contrast = self.contrast(-self.green, MACULA_RADIUS * self.radius)
        y, x = np.mgrid[:SIDE, :SIDE]
        far = np.hypot(x - disc[0], y - disc[1])
        low, high = (share * self.radius for share in MACULA_DISTANCE)
        sideways = np.abs(y - disc[1]) <= np.tan(np.radians(25)) * np.abs(x - disc[0])
        towards_the_middle = (x - disc[0]) * (self.middle[0] - disc[0]) > 0
        contrast = np.where((far >= low) & (far <= high) & sideways & towards_the_middle, contrast, -9)
        row, column = np.unravel_index(np.argmax(contrast), contrast.shape)
        return (float(column), float(row)) if contrast[row, column] >= MACULA_CONTRAST else None


class Landmarks:
    """What was found in one picture, in its own pixels: `discs` (how many), `strength` (of the strongest blob), `disc`
    and `macula` (x, y) or None, `radius` of the eye, and `distance` from disc to macula (USUAL_DISTANCE times the
    radius where no macula was found)."""

    def __init__(self, picture, mask):
        scene = Scene(picture, mask)
        scale = picture.shape[0] / SIDE
        blobs = scene.blobs()
        self.strength = strongest = blobs[0][0] if blobs else 0.0
        self.discs = sum(strength >= max(STRENGTH, RELATIVE * strongest) for strength, _, _ in blobs)
        self.radius = scene.radius * scale
        self.disc = self.macula = None
        self.distance = USUAL_DISTANCE * self.radius
        if blobs:
            disc = blobs[0][1:]
            macula = scene.macula(disc)
            self.disc = tuple((value + 0.5) * scale for value in disc)
            if macula is not None:
                self.macula = tuple((value + 0.5) * scale for value in macula)
                self.distance = float(np.hypot(*np.subtract(self.macula, self.disc)))


def mirrored_halves(picture):
    """Two pictures that are their own mirror image, made from the left and from the right half: a photograph with
    one disc off the middle gives one with two discs and one with none. The counter is tried on these."""
    half = picture.shape[1] // 2
    left, right = picture[:, :half], picture[:, half:]
    return np.concatenate([left, left[:, ::-1]], axis=1), np.concatenate([right[:, ::-1], right], axis=1)
