"""The membership attack in plain PyTorch, on a model that `fovea export-model` wrote: the same AUCs within 0.02.

    membership.py FOLDER --members site.h5 --non-members site.h5 [--noise philox|torch] [--out scores.json]

Members are the train split of one data set, non-members the holdout of the other. Models of pixels without attributes,
data sets of the model's size. Needs torch, diffusers, h5py and safetensors.
"""

import argparse
import json
import logging
import re

import diffusers
import h5py
import numpy
import torch

logging.disable(logging.WARNING)
MEMBERSHIP_NOISE = 15  # RandomStream.membershipNoise
TRAIN, HOLDOUT = 0, 2


def words(seed, stream, index, count):
    """The first `count` words of a stream: Philox 4x32-10 as in philox.py, many counters at once."""
    positions = numpy.arange((count + 3) // 4, dtype=numpy.uint64)
    tagged = index ^ (stream << 56)
    mask = numpy.uint64(0xFFFFFFFF)
    half = numpy.uint64(32)
    counter = [
        positions & mask,
        positions >> half,
        *(numpy.full_like(positions, w) for w in (tagged & 0xFFFFFFFF, tagged >> 32)),
    ]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = counter[0] * numpy.uint64(0xD2511F53), counter[2] * numpy.uint64(0xCD9E8D57)
        counter = [
            (b >> half) ^ counter[1] ^ numpy.uint64(key[0]),
            b & mask,
            (a >> half) ^ counter[3] ^ numpy.uint64(key[1]),
            a & mask,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numpy.stack(counter, axis=1).reshape(-1)[:count]


def normals(seed, index, count):
    """Box and Muller's pairs in order, as `Philox.fillNormal` gives them."""
    uniform = (words(seed, MEMBERSHIP_NOISE, index, count + count % 2) + 0.5) / 2**32
    radius, angle = numpy.sqrt(-2 * numpy.log(uniform[0::2])), 2 * numpy.pi * uniform[1::2]
    return (
        numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], axis=1)
        .reshape(-1)[:count]
        .astype(numpy.float32)
    )


def photographs(path, split, size):
    with h5py.File(path) as file:
        rows = numpy.flatnonzero(file["split"][:] == split)
        pictures, patients = file["images"][:][rows], file["patient"][:][rows]
    if pictures.shape[1:] != (size, size, 3):
        raise SystemExit(f"{path}: expected pictures of {size} pixels, found {pictures.shape[1:]}")
    return torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1, patients


def log_losses(model, pictures, noise, sigma, data):
    """ln of lambda(sigma) |D(y + sigma n; sigma) - y|^2 (Karras et al. 2022, equations 2, 7 and 8), one a picture."""
    skip, out, scale = (
        data**2 / (sigma**2 + data**2),
        sigma * data / (sigma**2 + data**2) ** 0.5,
        (sigma**2 + data**2) ** -0.5,
    )
    result = []
    for clean in pictures.split(16):
        noisy = clean + sigma * noise
        with torch.no_grad():
            raw = model(scale * noisy, torch.full((len(clean),), 25 * float(numpy.log(sigma)))).sample
        error = ((skip * noisy + out * raw - clean) ** 2).mean(dim=(1, 2, 3)) / out**2
        result += error.log().tolist()
    return numpy.array(result)


def area(members, others):
    greater = (members[:, None] > others[None, :]).mean() + 0.5 * (members[:, None] == others[None, :]).mean()
    return float(greater)


def by_patient(scores, patients):
    return numpy.array([scores[patients == key].mean() for key in dict.fromkeys(patients.tolist())])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--members", required=True)
    parser.add_argument("--non-members", required=True)
    parser.add_argument("--reference")
    parser.add_argument("--noise", choices=["philox", "torch"], default="torch")
    parser.add_argument("--levels", type=int, default=7)
    parser.add_argument("--reach", type=float, default=1.5)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    with open(f"{arguments.folder}/fovea.json", encoding="utf-8") as file:
        said = json.load(file)
    description, settings = said["model"], said["configuration"]
    levels = re.search(r"noiseLevels:\n  deviation: (\S+)\n  mean: (\S+)", settings)
    deviation, mean = float(levels[1]), float(levels[2])
    flips = re.search(r"^flips: (\w+)", settings, re.MULTILINE)[1] == "true"
    size, data = description["width"], description["preconditioning"]["sigmaData"]
    models = [diffusers.UNet2DModel.from_pretrained(f).eval() for f in [arguments.folder, arguments.reference] if f]
    inside, insiders = photographs(arguments.members, TRAIN, size)
    outside, outsiders = photographs(arguments.non_members, HOLDOUT, size)
    pool = torch.cat([inside, outside])
    torch.manual_seed(arguments.seed)

    def noise(index):
        if arguments.noise == "torch":
            return torch.randn(1, 3, size, size)
        return (
            torch.tensor(normals(arguments.seed, index, size * size * 3)).reshape(1, size, size, 3).permute(0, 3, 1, 2)
        )

    single = -log_losses(models[0], pool, noise(0), float(numpy.exp(mean)), data)
    totals = [numpy.zeros(len(pool)) for _ in range(2)]
    for level in range(arguments.levels):
        place = 2 * level / (arguments.levels - 1) - 1 if arguments.levels > 1 else 0
        sigma = float(numpy.exp(mean + place * arguments.reach * deviation))
        means = [numpy.zeros(len(pool)) for _ in models]
        for draw in range(arguments.draws):
            added = noise(1 + level * arguments.draws + draw)
            for mirrored in [False, True] if flips else [False]:
                for number, model in enumerate(models):
                    means[number] += log_losses(model, pool.flip(3) if mirrored else pool, added, sigma, data)
        means = [m / (arguments.draws * (2 if flips else 1)) for m in means]
        for total, value in zip(totals, [means[0]] + ([means[0] - means[1]] if len(models) > 1 else []), strict=False):
            total -= (value - value.mean()) / value.std() / arguments.levels
    found = {}
    for name, scores in [("loss", totals[0]), ("singleQuery", single)] + (
        [("likelihoodRatio", totals[1])] if len(models) > 1 else []
    ):
        members, others = by_patient(scores[: len(inside)], insiders), by_patient(scores[len(inside) :], outsiders)
        found[name] = {"auc": area(members, others), "nonMembersAgainstNonMembers": area(others[0::2], others[1::2])}
        print(
            f"{name}: AUC {found[name]['auc']:.4f}, "
            f"non-members against non-members {found[name]['nonMembersAgainstNonMembers']:.4f}",
            flush=True,
        )
        found[name]["members"], found[name]["nonMembers"] = members.tolist(), others.tolist()
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump(found, file)


main()
