"""Does a vessel segmenter learn from samples and the maps that were read from them?

    segmentation.py SAMPLES.h5 --photographs chase.h5 --report chase.import-report.json --folder chase --json out.json

SAMPLES.h5 was drawn with `fovea sample --structure`. The photographs are a data set of `fovea import`; the folder holds
`images/` and `vessels/` (a human observer's mask NAME*.png for each image), the report says which file is which row.
A small U-Net is trained on samples and their maps alone, on photographs and human masks alone, and on both (first the
samples, then the photographs). Photographs are tested in two folds by patient. The network of samples alone is tested
on all of them, and on those of the validation and holdout splits, from which the generator did not learn either. All
networks see the same number of steps. The figure is the area under the ROC curve over all pixels inside the field of
view, with the 95 % interval of a bootstrap over patients.

Needs torch, h5py, scikit-learn and Pillow (Tools/reference/requirements.txt).
"""

import argparse
import glob
import json
import pathlib

import h5py
import numpy
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional

SIDE, CROP, BATCH = 256, 128, 8


def box(photograph, field, scale):
    """The part of a photograph that a row of the data set shows, if its field of view is `scale` times as wide."""
    lit = photograph.max(2) > 20
    columns, rows = numpy.where(lit.mean(0) > 0.03)[0], numpy.where(lit.mean(1) > 0.03)[0]
    x, y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    step = scale * (columns[-1] - columns[0] + 1) / 2 / field[2]
    return (x - field[0] * step, y - field[1] * step, x + (SIDE - field[0]) * step, y + (SIDE - field[1]) * step)


def cut(image, part, resampling):
    large = image.transform((1024, 1024), Image.Transform.EXTENT, part, resampling)
    return numpy.asarray(large.resize((SIDE, SIDE), Image.Resampling.BOX))


def likeness(photograph, part, picture):
    """The correlation of a part of a photograph with a row of the data set, in green."""
    green = cut(photograph, part, Image.Resampling.BILINEAR)[..., 1]
    return numpy.corrcoef(green.ravel().astype(float), picture[..., 1].ravel())[0, 1]


def human_masks(images, fields, report, folder):
    """The observer's masks as shares of each pixel of the data set's rows: float32 [N, SIDE, SIDE]."""
    names = {entry["row"]: entry["file"] for entry in json.loads(report.read_text())["photographs"]}
    masks = []
    for row, picture in enumerate(images):
        path = folder / "images" / names[row]
        photograph = Image.open(path).convert("RGB")
        pixels = numpy.asarray(photograph)

        parts = [box(pixels, fields[row], scale) for scale in numpy.linspace(0.97, 1.03, 7)]
        like, part = max((likeness(photograph, part, picture), part) for part in parts)
        if like < 0.98:
            raise SystemExit(f"{path}: is not what row {row} shows")
        mask = Image.open(glob.glob(f"{folder}/vessels/{path.stem}*")[0]).convert("L")
        masks.append(cut(mask.point(lambda v: 255 if v > 127 else 0), part, Image.Resampling.NEAREST))
    return numpy.float32(masks) / 255


class Segmenter(nn.Module):
    """A U-Net of three levels that sees colours and local contrast."""

    def __init__(self, width=16):
        super().__init__()

        def block(a, b):
            layers = [nn.Conv2d(a, b, 3, padding=1), nn.GroupNorm(4, b), nn.SiLU()]
            return nn.Sequential(*layers, nn.Conv2d(b, b, 3, padding=1), nn.GroupNorm(4, b), nn.SiLU())

        self.down = nn.ModuleList([block(6, width), block(width, 2 * width), block(2 * width, 4 * width)])
        self.up = nn.ModuleList([block(6 * width, 2 * width), block(3 * width, width)])
        self.last = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        kept = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else functional.max_pool2d(x, 2))
            kept.append(x)
        for block, beside in zip(self.up, kept[-2::-1]):
            x = block(torch.cat([functional.interpolate(x, scale_factor=2.0), beside], 1))
        return self.last(x)[:, 0]


def inputs(pictures):
    """uint8 [N, SIDE, SIDE, 3] to float32 [N, 6, SIDE, SIDE]: colours, and their departure from the surroundings."""
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    around = functional.avg_pool2d(x, 31, 1, 15, count_include_pad=False)
    return torch.cat([x, 4 * (x - around)], 1)


def trained(sets, steps, seed):
    """A network that saw each of `sets` (inputs, masks) for an equal share of the steps, one after the other."""
    torch.manual_seed(seed)
    random, network = numpy.random.default_rng(seed), Segmenter()
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(steps):
        x, y = sets[step * len(sets) // steps]
        pieces, wanted = [], []
        for row in random.integers(0, len(x), BATCH):
            top, left = random.integers(0, SIDE - CROP + 1, 2)
            piece, mask = (z[..., top : top + CROP, left : left + CROP] for z in (x[row], y[row]))
            turns, mirrored = int(random.integers(4)), random.random() < 0.5
            piece, mask = torch.rot90(piece, turns, (1, 2)), torch.rot90(mask, turns, (0, 1))
            pieces.append((piece.flip(2) if mirrored else piece) * float(random.uniform(0.8, 1.25)))
            wanted.append(mask.flip(1) if mirrored else mask)
        loss = functional.binary_cross_entropy_with_logits(network(torch.stack(pieces)), torch.stack(wanted))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def read(network, x):
    return torch.cat([torch.sigmoid(network(x[k : k + 4])) for k in range(0, len(x), 4)]).numpy()


def area(found, masks, inside, patients, draws=100):
    """The area under the ROC curve over the pixels inside the field of view, and its interval over patients."""

    def over(rows):
        return roc_auc_score(
            numpy.concatenate([masks[r][inside[r]] > 0.5 for r in rows]),
            numpy.concatenate([found[r][inside[r]] for r in rows]),
        )

    random, known = numpy.random.default_rng(1), sorted(set(patients))
    rows_of = {name: [r for r, own in enumerate(patients) if own == name] for name in known}
    some = [over([r for name in random.choice(known, len(known)) for r in rows_of[name]]) for _ in range(draws)]
    return {"area": over(range(len(found))), "interval": [float(v) for v in numpy.quantile(some, [0.025, 0.975])]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("samples")
    parser.add_argument("--photographs", required=True)
    parser.add_argument("--report", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    with h5py.File(arguments.photographs) as file:
        images, fields, split = file["images"][:], file["field_of_view"][:], file["split"][:]
        patients = [name.decode() if isinstance(name, bytes) else str(name) for name in file["patient"][:]]
    with h5py.File(arguments.samples) as file:
        drawn = inputs(file["images"][:]), torch.from_numpy(file["structure/vessels"][:]).float() / 255
    masks = human_masks(images, fields, arguments.report, arguments.folder)
    real, wanted = inputs(images), torch.from_numpy(masks)
    y, x = numpy.mgrid[:SIDE, :SIDE] + 0.5
    inside = [(x - f[0]) ** 2 + (y - f[1]) ** 2 < (0.96 * f[2]) ** 2 for f in fields]
    alone = read(trained([drawn], arguments.steps, arguments.seed), real)
    names = sorted(set(patients))
    fold = numpy.array([names.index(name) % 2 for name in patients])
    results = {"photographs alone": numpy.zeros_like(masks), "samples, then photographs": numpy.zeros_like(masks)}
    for number in range(2):
        rows, others = numpy.flatnonzero(fold == number), numpy.flatnonzero(fold != number)
        own = real[others], wanted[others]
        for name, sets in (("photographs alone", [own]), ("samples, then photographs", [drawn, own])):
            results[name][rows] = read(trained(sets, arguments.steps, arguments.seed), real[rows])
    unseen = numpy.flatnonzero(split > 0)
    figures = {"samples alone": area(alone, masks, inside, patients)}
    if len(unseen):
        figures["samples alone, photographs that the generator did not see"] = area(
            alone[unseen], masks[unseen], [inside[r] for r in unseen], [patients[r] for r in unseen]
        )
    figures.update({name: area(found, masks, inside, patients) for name, found in results.items()})
    for name, found in figures.items():
        print(f"{name}: {found['area']:.4f} ({found['interval'][0]:.4f} to {found['interval'][1]:.4f})")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
