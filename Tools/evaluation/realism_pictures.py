"""Pictures for `realism`: reading of datasets and sample sets, sizes, blurring, and where the eye is.

Pictures are uint8 [N, H, W, 3], RGB, H = W. Coordinates are pixels; the centre of pixel (x, y) lies at (x + 0.5, y
+ 0.5).
"""

import h5py
import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import morphology

SPLITS = {"train": 0, "validation": 1, "holdout": 2}
# What `--split` may say, and the splits that it means.
CHOICES = {"test-splits": ("validation", "holdout"), "train": ("train",), "all": ("train", "validation", "holdout")}


class Refused(Exception):
    """Input that the tools cannot measure; the message is one sentence for the user."""


def opened(path, kind, word):
    """The HDF5 file at `path`, of the kind `fovea.dataset` or `fovea.samples`; `word` names that kind to the user."""
    try:
        file = h5py.File(path, "r")
    except OSError:
        raise Refused(f"{path} is no HDF5 file that can be opened; {word} is needed.") from None
    found = file.attrs.get("kind")
    if found != kind:
        file.close()
        raise Refused(
            f"{path} is {'of kind ' + str(found) if found else 'of no kind that Fovea writes'}, but {word} "
            f"({kind}) is needed."
        )
    images = file.get("images")
    if images is None or images.ndim != 4 or images.shape[3] != 3 or images.shape[1] != images.shape[2]:
        file.close()
        raise Refused(f"{path} holds no square colour pictures under /images.")
    return file


class Photographs:
    """The photographs of one or more datasets: `images`, `split` (codes), `site` (names) and `field` [N, 5]
    (pixels)."""

    def __init__(self, paths, site=None):
        images, splits, sites, fields = [], [], [], []
        for path in paths:
            with opened(path, "fovea.dataset", "a dataset of photographs") as file:
                name = str(file.attrs.get("site", ""))
                if site is not None and name != site:
                    continue
                images.append(file["images"][:])
                splits.append(file["split"][:].astype(int))
                fields.append(file["field_of_view"][:])
                sites += [name] * len(images[-1])
        if not images:
            raise Refused(f"None of the datasets is of the site {site!r}.")
        if len({part.shape[1] for part in images}) > 1:
            raise Refused("The datasets hold pictures of different sizes; import them with one --size.")
        self.images, self.split = np.concatenate(images), np.concatenate(splits)
        self.field, self.site = np.concatenate(fields), np.array(sites)

    def rows(self, names):
        """Row numbers of the splits `names`."""
        return np.flatnonzero(np.isin(self.split, [SPLITS[name] for name in names]))


def samples(path):
    """The pictures of a sample set."""
    with opened(path, "fovea.samples", "a sample set") as file:
        if len(file["images"]) < 2:
            raise Refused(f"{path} holds fewer than two samples.")
        return file["images"][:]


def resized(images, size, filter=Image.Resampling.LANCZOS):
    """uint8 [N, size, size, 3]; as it is where the size is right. Lanczos with the filter widened where pictures
    shrink."""
    if images.shape[1] == size:
        return images
    return np.stack([np.asarray(Image.fromarray(picture).resize((size, size), filter)) for picture in images])


def blurred(images, deviation):
    """A Gaussian of `deviation` pixels over each channel, rounded to bytes."""
    if deviation == 0:
        return images
    found = [ndimage.gaussian_filter(picture.astype(np.float32), (deviation, deviation, 0)) for picture in images]
    return np.stack([np.clip(np.rint(picture), 0, 255).astype(np.uint8) for picture in found])


def eye(picture, level=20):
    """Bool [H, W]: the field of view, found in the pixels alone so that photographs and samples are treated alike.

    The convex hull of the largest region whose smoothed strongest channel is above `level` (of 255), after an
    opening that cuts off letters and specks: a disc that is cut off at top and bottom is convex. False everywhere
    where nothing is lit.
    """
    size = picture.shape[0]
    lit = ndimage.gaussian_filter(picture.max(axis=2).astype(np.float32), size / 256) > level
    lit = ndimage.binary_opening(lit, iterations=max(1, round(size / 64)))
    labels, count = ndimage.label(lit)
    if count == 0:
        return lit
    sizes = np.bincount(labels.ravel())[1:]
    return morphology.convex_hull_image(labels == 1 + int(np.argmax(sizes)))


def eyes(images):
    """Bool [N, H, W]."""
    return np.stack([eye(picture) for picture in images])


def shrunk(mask, pixels):
    """The part of `mask` that is farther than `pixels` from its border; the picture's border counts."""
    return ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] > pixels


def with_black_surround(images, masks):
    """Everything outside the eye, and its outermost 1.5 % (of half the side), set to 0."""
    margin = 0.015 * images.shape[1] / 2
    return np.stack([picture * shrunk(mask, margin)[..., None] for picture, mask in zip(images, masks)])


def ideal_eye(field, size):
    """Bool [size, size]: the field of view by a row of /field_of_view, already in pixels of `size`."""
    return signed_distance(field, size) > 0


def signed_distance(field, size):
    """Float [size, size]: pixels from each pixel's centre to the boundary of the field of view, positive inside.

    The field of view is the disc of centre x, centre y and radius between the rows `top` and `bottom` (a row of
    /field_of_view, scaled to pixels of `size`). The distance is the least of those to the circle and to the two
    rows: exact inside and wherever one of the three is nearest; near the disc's corners outside it is a little
    short.
    """
    x, y, radius, top, bottom = (float(value) for value in field)
    rows = np.arange(size)[:, None] + 0.5
    columns = np.arange(size)[None, :] + 0.5
    circle = radius - np.hypot(columns - x, rows - y)
    return np.minimum(circle, np.minimum(rows - top, bottom - rows))


def regions(field, size):
    """Bool masks by name: `all`, `eye` (d > size / 64), `edge` (|d| <= size / 64) and `surround` (d < -size / 64)."""
    distance, width = signed_distance(field, size), size / 64
    return {
        "all": np.ones((size, size), bool),
        "eye": distance > width,
        "edge": np.abs(distance) <= width,
        "surround": distance < -width,
    }
