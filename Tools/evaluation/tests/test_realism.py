"""Tests of `realism` and `denoising_baseline` on made-up numbers and drawn pictures; no photograph and no torch.

python3 -m pytest Tools/evaluation/tests
"""

import json
import pathlib
import subprocess
import sys

import h5py
import numpy as np
import pytest
from scipy import ndimage
from skimage import draw

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

import denoising_baseline  # noqa: E402
import realism  # noqa: E402
import realism_discs  # noqa: E402
import realism_distances  # noqa: E402
import realism_pictures  # noqa: E402
import realism_spectrum  # noqa: E402
import realism_vessels  # noqa: E402

SIZE = 256
FIELD = (128, 128, 127, 22, 234)


def drawn_eye(discs=(), macula=None, seed=0):
    """uint8 [256, 256, 3]: an even orange eye in a black surround, with bright discs and a dark macula at (x, y)."""
    random = np.random.default_rng(seed)
    picture = np.ones((SIZE, SIZE, 3)) * (150, 75, 30)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    for centre in discs:
        picture[np.hypot(x - centre[0], y - centre[1]) < 19] = (230, 170, 90)
    if macula:
        dark = 0.4 * np.exp(-((x - macula[0]) ** 2 + (y - macula[1]) ** 2) / (2 * 14**2))
        picture *= (1 - dark)[..., None]
    picture += ndimage.gaussian_filter(random.normal(size=(SIZE, SIZE)), 1)[..., None] * 4
    picture *= realism_pictures.ideal_eye(FIELD, SIZE)[..., None]
    return np.clip(picture, 0, 255).astype(np.uint8)


# The kernel distance


def brute(a, b):
    def k(x, y):
        return (float(x @ y) / len(x) + 1) ** 3

    n, m = len(a), len(b)
    within_a = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_b = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return within_a + within_b - 2 * sum(k(x, y) for x in a for y in b) / (n * m)


def test_kernel_distance_is_the_double_sum():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(9, 6)), random.normal(size=(13, 6)) + 0.7
    assert realism_distances.kernel_distance(a, b) == pytest.approx(brute(a, b), rel=1e-12)


def test_kernel_distance_of_one_distribution_is_0_on_average():
    """With pairs of a picture with itself counted, the average of these would be about 3; it is 0 within 4 standard
    errors."""
    random = np.random.default_rng(2)
    values = [
        realism_distances.kernel_distance(random.normal(size=(12, 8)), random.normal(size=(20, 8))) for _ in range(1500)
    ]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error < 0.05


def test_kernel_distance_of_a_shift_has_the_closed_form():
    """Features N(0, 1) and N(m, 1), d = 1: E k(x, y) is E (xy + 1)^3 = 1 + 3 E xy + 3 E x^2 E y^2 + E x^3 E y^3."""

    def expected(p, q):
        def moments(m):
            return m, m**2 + 1, m**3 + 3 * m

        return 1 + sum(c * a * b for c, a, b in zip((3, 3, 1), moments(p), moments(q)))

    random, shift = np.random.default_rng(3), 0.8
    values = [
        realism_distances.kernel_distance(random.normal(size=(40, 1)), random.normal(size=(40, 1)) + shift)
        for _ in range(2000)
    ]
    exact = expected(0, 0) + expected(shift, shift) - 2 * expected(0, shift)
    assert np.mean(values) == pytest.approx(exact, abs=4 * np.std(values) / np.sqrt(len(values)))
    assert exact > 3


def test_weights_count_pictures_as_often_as_they_are_drawn():
    random = np.random.default_rng(4)
    a, b = random.normal(size=(6, 5)), random.normal(size=(7, 5)) + 1
    wa, wb = np.array([2, 0, 1, 1, 0, 2.0]), np.ones(7)
    k = realism_distances.kernel
    found = realism_distances.weighted_discrepancy(k(a, a), k(b, b), k(a, b), wa, wb)
    rows = np.repeat(np.arange(6), wa.astype(int))
    pairs = [k(a, a)[i, j] for i in rows for j in rows if i != j]
    cross = np.mean([k(a, b)[i, j] for i in rows for j in range(7)])
    other = np.mean([k(b, b)[i, j] for i in range(7) for j in range(7) if i != j])
    assert found == pytest.approx(np.mean(pairs) + other - 2 * cross, rel=1e-12)


def test_interval_holds_the_distance_and_narrows():
    random = np.random.default_rng(5)
    a, b = random.normal(size=(200, 10)), random.normal(size=(200, 10)) + 0.5
    wide = realism_distances.kernel_interval(a[:40], b[:40], draws=300)
    narrow = realism_distances.kernel_interval(a, b, draws=300)
    assert narrow[0] < realism_distances.kernel_distance(a, b) < narrow[1]
    assert narrow[1] - narrow[0] < 0.7 * (wide[1] - wide[0])


def test_classifier_tells_what_differs_and_nothing_else():
    random = np.random.default_rng(6)
    a, b = random.normal(size=(120, 30)), random.normal(size=(120, 30))
    assert 0.38 < realism_distances.classifier_auc(a, b) < 0.62
    assert realism_distances.classifier_auc(a, b + 1) > 0.97


# The spectrum


def textured(seed, count=3):
    random = np.random.default_rng(seed)
    mask = realism_pictures.ideal_eye(FIELD, SIZE)
    noise = 20 * random.normal(size=(count, SIZE, SIZE)) + 128
    return np.repeat(np.clip(noise * mask, 0, 255)[..., None], 3, axis=3).astype(np.uint8), [mask] * count


def test_spectrum_of_a_copy_is_1_and_of_a_blurred_copy_falls_as_the_gaussian_says():
    images, masks = textured(7)
    base = realism_spectrum.powers(images, masks)
    assert realism_spectrum.ratio(base, base) == pytest.approx(np.ones(5))
    found = realism_spectrum.ratio(realism_spectrum.powers(realism_pictures.blurred(images, 1), masks), base)
    for value, (low, high) in list(zip(found, realism_spectrum.edges()))[:4]:
        f = np.linspace(low, high, 200)
        assert value == pytest.approx(np.average(np.exp(-4 * np.pi**2 * f**2), weights=f), rel=0.1)
    assert found[-1] < 0.05 and (np.diff(found) < 0).all()


def test_spectrum_of_white_noise_is_flat_and_of_a_wave_is_in_its_octave():
    images, masks = textured(8)
    flat = realism_spectrum.powers(images, masks).mean(0)
    assert flat == pytest.approx(np.full(5, 400), rel=0.25)
    wave = 128 + 50 * np.sin(2 * np.pi * np.arange(SIZE) * 0.18)
    picture = np.repeat((wave[None] * masks[0])[..., None], 3, axis=2).astype(np.uint8)
    assert realism_spectrum.names() == ["1/64-1/32", "1/32-1/16", "1/16-1/8", "1/8-1/4", "1/4-1/2"]
    assert int(np.argmax(realism_spectrum.power(picture, masks[0]))) == 3


def test_patches_lie_wholly_inside():
    mask = realism_pictures.ideal_eye(FIELD, SIZE)
    found = realism_spectrum.patches(mask, 128, 16)
    assert found and all(mask[y : y + 128, x : x + 128].all() for y, x in found)
    assert np.isnan(realism_spectrum.power(np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), bool))).all()


# Vessels


def test_length_of_drawn_skeletons():
    skeleton = np.zeros((60, 60), bool)
    skeleton[10, 5:26] = True  # 20
    skeleton[np.arange(10, 31), np.arange(30, 51)] = True  # 20 diagonals
    assert realism_vessels.length(skeleton) == pytest.approx(20 + 20 * np.sqrt(2))
    corner = np.zeros((8, 8), bool)
    corner[2, 2:5] = corner[2:5, 4] = True
    assert realism_vessels.length(corner) == pytest.approx(4)  # the corner is not cut


def with_lines(lines, seed=0):
    """An eye with dark lines 4 pixels wide, each (x, y) to (x, y)."""
    picture = drawn_eye(seed=seed).astype(float)
    shade = np.zeros((SIZE, SIZE))
    for (x0, y0), (x1, y1) in lines:
        rows, columns = draw.line(y0, x0, y1, x1)
        shade[rows, columns] = 1
    shade = ndimage.binary_dilation(shade, iterations=2)
    picture[shade & realism_pictures.ideal_eye(FIELD, SIZE)] *= (0.8, 0.5, 0.6)
    return picture.astype(np.uint8)


class Place:
    """Landmarks that a test knows."""

    disc, radius, distance = (60.0, 128.0), 127.0, 95.0


def test_tree_and_periphery_of_drawn_vessels():
    trunk, branch, apart = ((60, 128), (160, 70)), ((110, 99), (110, 180)), ((225, 100), (225, 160))
    picture = with_lines([trunk, branch, apart])
    found = realism_vessels.VesselMap(picture, realism_pictures.eye(picture))
    level = 1.0
    result = realism_vessels.measures(found, level, Place)
    assert result["tree"] * 127 == pytest.approx(np.hypot(100, 58) + 81, rel=0.12)
    assert result["periphery"] * 127 == pytest.approx(60, rel=0.2)
    broken = with_lines([((60, 128), (100, 105)), ((125, 90), (160, 70)), ((110, 125), (110, 180))])
    result = realism_vessels.measures(realism_vessels.VesselMap(broken, realism_pictures.eye(broken)), level, Place)
    assert result["tree"] * 127 == pytest.approx(55, abs=12)
    assert result["periphery"] == 0


def test_threshold_gives_the_median_density():
    maps = [
        realism_vessels.VesselMap(with_lines([((60, 128), (160, y))], seed=y), realism_pictures.ideal_eye(FIELD, SIZE))
        for y in (60, 128, 190)
    ]
    level = realism_vessels.threshold(maps, 0.05)
    assert np.median([found.vessels(level).sum() / found.inside.sum() for found in maps]) == pytest.approx(
        0.05, abs=0.003
    )


# Discs


@pytest.mark.parametrize(
    "discs", [[], [(60, 120)], [(200, 140)], [(60, 120), (196, 130)], [(60, 120), (196, 130), (120, 60)]]
)
def test_discs_are_counted(discs):
    picture = drawn_eye(discs)
    assert realism_discs.Landmarks(picture, realism_pictures.eye(picture)).discs == len(discs)


def test_disc_and_macula_are_found():
    picture = drawn_eye([(56, 120)], macula=(146, 132))
    found = realism_discs.Landmarks(picture, realism_pictures.eye(picture))
    assert np.hypot(found.disc[0] - 56, found.disc[1] - 120) < 6
    assert np.hypot(found.macula[0] - 146, found.macula[1] - 132) < 8
    assert found.distance == pytest.approx(np.hypot(90, 12), abs=10)
    without = drawn_eye([(56, 120)])
    none = realism_discs.Landmarks(without, realism_pictures.eye(without))
    assert none.macula is None and none.distance == pytest.approx(realism_discs.USUAL_DISTANCE * none.radius)


def test_gradients_rims_and_small_or_ragged_blobs_are_no_discs():
    picture = drawn_eye().astype(float)
    x = np.arange(SIZE)
    gradient = (picture * (0.6 + 0.8 * x / SIZE)[None, :, None]).clip(0, 255).astype(np.uint8)
    small = drawn_eye()
    small[draw.disk((128, 100), 5)] = (240, 220, 120)
    ragged, random = drawn_eye(), np.random.default_rng(9)
    for dy, dx in random.uniform(-18, 18, (14, 2)):
        ragged[draw.disk((128 + dy, 100 + dx), 3)] = (240, 220, 120)
    for found in (gradient, small, ragged):
        assert realism_discs.Landmarks(found, realism_pictures.eye(found)).discs == 0


def test_mirrored_halves():
    picture = drawn_eye([(56, 120)])
    two, none = realism_discs.mirrored_halves(picture)
    assert [realism_discs.Landmarks(p, realism_pictures.eye(p)).discs for p in (two, none)] == [2, 0]
    assert (two == two[:, ::-1]).all() and (none == none[:, ::-1]).all()


# Regions, eyes, baseline


def test_eye_is_found_with_noise_in_the_surround():
    random = np.random.default_rng(10)
    picture = drawn_eye([(60, 120)])
    noisy = np.clip(picture + random.integers(0, 14, picture.shape), 0, 255).astype(np.uint8)
    noisy[4:10, 4:10] = 255  # a letter
    found, ideal = realism_pictures.eye(noisy), realism_pictures.ideal_eye(FIELD, SIZE)
    assert (found & ideal).sum() / (found | ideal).sum() > 0.96
    black = realism_pictures.with_black_surround(noisy[None], found[None])[0]
    assert (
        black[~ndimage.binary_dilation(ideal, iterations=3)].max() == 0 and (black[128, 128] == noisy[128, 128]).all()
    )


def test_signed_distance_by_hand():
    d = realism_pictures.signed_distance(FIELD, SIZE)
    assert d[128, 128] == pytest.approx(105.5)  # row 128.5 to bottom 234
    assert d[128, 0] == pytest.approx(127 - np.hypot(127.5, 0.5))
    assert d[22, 128] == pytest.approx(0.5) and d[21, 128] == pytest.approx(-0.5)
    assert d[0, 0] == pytest.approx(127 - np.hypot(127.5, 127.5))


def test_regions_divide_the_picture():
    masks = realism_pictures.regions(FIELD, SIZE)
    total = masks["eye"].astype(int) + masks["edge"] + masks["surround"]
    assert (total == 1).all() and masks["all"].all()
    column = [next(name for name in ("eye", "edge", "surround") if masks[name][row, 128]) for row in range(SIZE)]
    # Row y has its centre at y + 0.5, the boundary is at 22: |d| <= 4 from 18 to 25.
    assert column[17:27] == ["surround"] + ["edge"] * 8 + ["eye"]
    half = realism_pictures.regions(np.array(FIELD) / 2, SIZE // 2)
    assert half["eye"].mean() == pytest.approx(masks["eye"].mean(), abs=0.005)


def test_errors_are_roots_of_means_over_pixels_and_channels():
    errors = denoising_baseline.Errors()
    masks = realism_pictures.regions(FIELD, SIZE)
    difference = np.zeros((SIZE, SIZE, 3))
    difference[masks["eye"]] = (0.3, 0, 0)
    errors.add(difference, masks)
    errors.add(np.zeros_like(difference), masks)
    found = errors.roots()
    assert found["eye"] == pytest.approx((0.09 / 3 / 2) ** 0.5, abs=1e-6)
    assert found["surround"] == 0 and found["edge"] == 0
    assert found["all"] == pytest.approx((0.09 / 3 / 2 * masks["eye"].mean()) ** 0.5, abs=1e-6)


# Files


def write(path, kind, images, split=None):
    with h5py.File(path, "w") as file:
        if kind:
            file.attrs["kind"] = kind
        file.attrs["site"] = "drawn"
        file["images"] = images
        if split is not None:
            file["split"] = np.array(split, np.int8)
            file["field_of_view"] = np.tile(np.array(FIELD, np.float32), (len(images), 1))


def test_files_of_other_kinds_are_refused_in_one_sentence(tmp_path):
    images = np.stack([drawn_eye([(60, 120)], seed=k) for k in range(3)])
    write(tmp_path / "data.h5", "fovea.dataset", images, [0, 1, 2])
    write(tmp_path / "set.h5", "fovea.samples", images)
    (tmp_path / "text.h5").write_text("no HDF5")
    write(tmp_path / "other.h5", None, images)
    data, samples = tmp_path / "data.h5", tmp_path / "set.h5"
    for photographs, drawn, said in [
        (samples, samples, "a dataset of photographs (fovea.dataset) is needed"),
        (data, data, "a sample set (fovea.samples)"),
        (data, tmp_path / "text.h5", "no HDF5"),
        (tmp_path / "other.h5", samples, "no kind that Fovea writes"),
        (data, tmp_path / "missing.h5", "no HDF5"),
        (data, samples, "at least 10 are needed"),
    ]:
        command = [sys.executable, str(HERE / "realism.py"), "--photographs", str(photographs), str(drawn)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_splits_and_sites(tmp_path):
    images = np.stack([drawn_eye(seed=k) for k in range(6)])
    write(tmp_path / "data.h5", "fovea.dataset", images, [0, 1, 2, 0, 0, 2])
    found = realism_pictures.Photographs([tmp_path / "data.h5"], "drawn")
    rows, (first, second) = realism.chosen(found, "test-splits")
    assert rows.tolist() == first.tolist() == [1, 2, 5] and second.tolist() == [0, 3, 4]
    rows, (first, second) = realism.chosen(found, "train")
    assert first.tolist() == [0, 3, 4] and second.tolist() == [1, 2, 5]
    rows, (first, second) = realism.chosen(found, "all")
    assert sorted(rows) == sorted([*first, *second]) == list(range(6))
    with pytest.raises(realism_pictures.Refused, match="elsewhere"):
        realism_pictures.Photographs([tmp_path / "data.h5"], "elsewhere")


def test_baseline_takes_the_validation_split_only(tmp_path):
    images = np.stack([np.full((SIZE, SIZE, 3), k, np.uint8) for k in (10, 20, 30, 40)])
    write(tmp_path / "data.h5", "fovea.dataset", images, [0, 1, 2, 1])
    found = list(denoising_baseline.photographs([tmp_path / "data.h5"], 64, None))
    assert [round(float((picture[0, 0, 0] + 1) * 127.5)) for picture, _ in found] == [20, 40]
    assert found[0][0].shape == (64, 64, 3)
    exact = realism_pictures.regions(np.array(FIELD) / 4, 64)
    assert all((found[0][1][name] == exact[name]).all() for name in exact)


def test_sheet_has_a_key_that_fits(tmp_path):
    real = realism.PictureSet(np.full((20, 64, 64, 3), 50, np.uint8), 64)
    drawn = realism.PictureSet(np.full((20, 64, 64, 3), 200, np.uint8), 64)
    key = realism.sheet(tmp_path / "sheet.png", real, drawn, 0)
    from PIL import Image

    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (256, 512, 3) and json.dumps(key)
    for row, line in enumerate(key):
        for column, letter in enumerate(line):
            assert sheet[row * 64 + 32, column * 64 + 32, 0] == {"P": 50, "S": 200}[letter]
    assert "".join(key).count("P") == 16
