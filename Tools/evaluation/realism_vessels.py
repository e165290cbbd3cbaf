"""Vessels: how dense they are, how far their tree hangs together, and whether they reach the periphery.

The map is the `derivative` filter of Tools/reference/vessel_filters.py on the normalised green channel. One
threshold for all sets makes it a mask: the one at which the median photograph has DENSITY of its eye covered.
"""

import pathlib
import sys

import numpy as np
from scipy import ndimage
from skimage import morphology

import realism_pictures

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import vessel_filters  # noqa: E402

DENSITY = 0.09
# The rim that does not count, and the shortest piece of skeleton that does, as shares of the picture's side.
RIM, PIECE = 0.02, 12 / 256
# What counts as periphery: farther from the disc than this many distances from disc to macula.
FAR = 1.5


class VesselMap:
    """The filter's response (float16, small enough to keep for many pictures) and where it counts."""

    def __init__(self, picture, mask):
        size = picture.shape[0]
        self.inside = realism_pictures.shrunk(mask, RIM * size)
        if self.inside.any():
            image = vessel_filters.normalised(picture, mask)
            self.response = vessel_filters.derivative(image, size / 256).astype(np.float16)
        else:
            self.response = np.zeros(mask.shape, np.float16)

    def quantile(self, share):
        return float(np.quantile(self.response[self.inside].astype(float), share)) if self.inside.any() else 0.0

    def vessels(self, threshold):
        return (self.response > threshold) & self.inside


def threshold(maps, density=DENSITY):
    """The level at which the median of `maps` has a share `density` of its eye above it."""
    return float(np.median([found.quantile(1 - density) for found in maps]))


def length(skeleton):
    """Length of a skeleton in pixels: 1 for each pair of neighbours side by side, the root of 2 for each pair
    across a corner that no third pixel joins already."""
    s = skeleton.astype(bool)
    total = np.sum(s[:, 1:] & s[:, :-1]) + np.sum(s[1:] & s[:-1])
    falling = s[:-1, :-1] & s[1:, 1:] & ~s[:-1, 1:] & ~s[1:, :-1]
    rising = s[:-1, 1:] & s[1:, :-1] & ~s[:-1, :-1] & ~s[1:, 1:]
    return float(total + np.sqrt(2) * (falling.sum() + rising.sum()))


def pieces(skeleton):
    """Lengths of the connected pieces, and the picture of their numbers (from 1 on; 0 is nothing)."""
    labels, count = ndimage.label(skeleton, np.ones((3, 3)))
    boxes = ndimage.find_objects(labels)
    return np.array([length(labels[box] == k + 1) for k, box in enumerate(boxes)] if count else []), labels


def measures(vessel_map, level, landmarks):
    """By name: `density` (share of the eye), `tree` (skeleton of the longest connected tree) and `periphery`
    (skeleton farther from the disc than FAR distances from disc to macula, pieces of less than PIECE left out);
    lengths in radii of the eye. `periphery` is NaN where no disc candidate was found."""
    mask = vessel_map.vessels(level)
    size, radius = mask.shape[0], max(landmarks.radius, 1.0)
    lengths, labels = pieces(morphology.skeletonize(mask))
    result = {
        "density": float(mask.sum() / max(1, vessel_map.inside.sum())),
        "tree": float(lengths.max() / radius) if len(lengths) else 0.0,
        "periphery": np.nan,
    }
    if landmarks.disc is not None:
        y, x = np.mgrid[:size, :size] + 0.5
        far = np.hypot(x - landmarks.disc[0], y - landmarks.disc[1]) > FAR * landmarks.distance
        kept = np.concatenate([[False], lengths >= PIECE * size])[labels]
        result["periphery"] = length(kept & far) / radius
    return result
