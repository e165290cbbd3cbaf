"""How far samples are from photographs, beside how far photographs are from photographs.

    realism --photographs SITE.h5[,SITE.h5...] SAMPLES.h5 [--json OUT.json] [--sheet OUT.png]

Four groups of figures, each explained in its module and in docs/evaluation.md:
- the kernel distance and a classifier's AUC in features of EfficientNet-lite0 (realism_features.py,
  realism_distances.py),
- the spectrum inside the eye by octaves (realism_spectrum.py),
- vessels: density, connected tree, periphery (realism_vessels.py),
- how many optic discs (realism_discs.py).
The samples are compared with the photographs that --split chooses, by default those of the validation and holdout
splits. The floor is the same measures between these and the other photographs: what a perfect model would reach.
"""

import argparse
import json
import os
import pathlib
import sys

import numpy as np

import realism_discs
import realism_pictures
import realism_report
import realism_spectrum
import realism_vessels

BLURS = (1, 2)
# A black surround and a blur are tried on both sides alike: what is left of the distance lies inside the eye, or is
# coarse.
VARIANTS = {
    "as they are": (False, 0),
    "surround made black on both sides": (True, 0),
    "both blurred by 2 pixels": (False, 2),
    "both blurred by 2 pixels, surround made black": (True, 2),
}


class PictureSet:
    """Pictures of one size with their eyes; what is measured on them is kept."""

    def __init__(self, images, size):
        self.images = realism_pictures.resized(images, size)
        self.eyes = realism_pictures.eyes(self.images)
        self.kept = {}

    def __len__(self):
        return len(self.images)

    def pictures(self, black=False, blur=0):
        """Blurred by `blur` pixels of 256 a side; the surround is made black last, so that none of it is left."""
        blur *= self.images.shape[1] / 256
        images = realism_pictures.blurred(self.images, blur)
        return realism_pictures.with_black_surround(images, self.eyes) if black else images

    def features(self, network, black=False, blur=0):
        if (black, blur) not in self.kept:
            self.kept[black, blur] = network(self.pictures(black, blur))
        return self.kept[black, blur]

    def some(self, count):
        """Row numbers, at most `count`, evenly spread."""
        return np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(int))


def progress(text):
    print(text, file=sys.stderr, flush=True)


def apart(a, b):
    """KD with its 95 % interval, and AUC."""
    import realism_distances

    return {
        "kd": realism_distances.kernel_distance(a, b),
        "kd_interval": list(realism_distances.kernel_interval(a, b)),
        "auc": realism_distances.classifier_auc(a, b),
    }


def distances(network, real, other, samples, too):
    """By name of what is compared with the photographs: KD and AUC."""
    found = {}
    for variant, (black, blur) in VARIANTS.items():
        progress(f"features: {variant}")
        found[f"samples, {variant}"] = apart(
            samples.features(network, black, blur), real.features(network, black, blur)
        )
    if other is not None:
        against, name = other.features(network), "other photographs"
        found[f"{name} (the floor)"] = apart(against, real.features(network))
        for variant, (black, blur) in list(VARIANTS.items())[1:]:
            found[f"{name}, {variant}"] = apart(
                other.features(network, black, blur), real.features(network, black, blur)
            )
        for blur in BLURS:
            found[f"{name}, they alone blurred by {blur}"] = apart(
                other.features(network, False, blur), real.features(network)
            )
            found[f"photographs blurred by {blur}, against the others"] = apart(
                real.features(network, False, blur), against
            )
    if too is not None:
        found["samples, against --photographs-too"] = apart(samples.features(network), too.features(network))
    return found


def known(values):
    """A list of numbers; None where there is none, which JSON has no number for."""
    return [float(value) if np.isfinite(value) else None for value in values]


def spectra(real, other, samples):
    """Ratios of power to the photographs', by octave, coarse to fine."""
    progress("spectra")
    base = realism_spectrum.powers(real.images, real.eyes)
    sets = {"samples": realism_spectrum.powers(samples.images, samples.eyes)}
    for blur in BLURS:
        sets[f"photographs blurred by {blur}"] = realism_spectrum.powers(real.pictures(blur=blur), real.eyes)
    if other is not None:
        sets["other photographs (the floor)"] = realism_spectrum.powers(other.images, other.eyes)
    return {
        "octaves": realism_spectrum.names(),
        "ratios": {name: known(realism_spectrum.ratio(powers, base)) for name, powers in sets.items()},
        "without_a_patch": {name: int(np.isnan(powers[:, 0]).sum()) for name, powers in sets.items()},
    }


def anatomy(sets, count):
    """Vessels and discs of the sets by name; the first, the photographs, fixes the threshold of vessels."""
    level, result = None, {"discs": {}, "vessels": {}}
    for name, pictures in sets.items():
        rows = pictures.some(count)
        progress(f"vessels and discs of {len(rows)} {name}")
        marks = [realism_discs.Landmarks(pictures.images[row], pictures.eyes[row]) for row in rows]
        maps = [realism_vessels.VesselMap(pictures.images[row], pictures.eyes[row]) for row in rows]
        if level is None:
            level = realism_vessels.threshold(maps)
        found = [realism_vessels.measures(a, level, b) for a, b in zip(maps, marks)]
        columns = {key: np.array([row[key] for row in found], float) for key in found[0]}
        result["vessels"][name] = {
            "pictures": len(rows),
            **{
                key: {"quartiles": np.nanpercentile(values, [25, 50, 75]).tolist(), "mean": float(np.nanmean(values))}
                if np.isfinite(values).any()
                else {"quartiles": None, "mean": None}
                for key, values in columns.items()
            },
        }
        found_macula = float(np.mean([mark.macula is not None for mark in marks]))
        result["discs"][name] = {"pictures": len(rows), **counted(marks), "macula": found_macula}
        if "discs of known number" not in result:
            result["discs of known number"] = known_discs(pictures, rows, marks)
    result["vessel_threshold"] = {"level": level, "median_density_of_photographs": realism_vessels.DENSITY}
    return result


def counted(marks):
    """Shares of pictures by number of discs, and quartiles of the strongest blob's strength."""
    discs, strengths = np.array([mark.discs for mark in marks]), [mark.strength for mark in marks]
    return {
        "0": float(np.mean(discs == 0)),
        "1": float(np.mean(discs == 1)),
        "2+": float(np.mean(discs >= 2)),
        "strength": np.percentile(strengths, [25, 50, 75]).tolist(),
    }


def known_discs(pictures, rows, marks):
    """The counter tried on photographs whose halves are mirrored: the half with the disc makes two discs, the other
    none."""
    two, none = [], []
    for row, mark in zip(rows, marks):
        if mark.disc is None:
            continue
        left, right = realism_discs.mirrored_halves(pictures.images[row])
        if mark.disc[0] > pictures.images.shape[2] / 2:
            left, right = right, left
        two.append(realism_discs.Landmarks(left, realism_pictures.eye(left)))
        none.append(realism_discs.Landmarks(right, realism_pictures.eye(right)))
    return {"two discs by mirroring": counted(two), "none by mirroring": counted(none)} if two else None


def sheet(path, real, samples, seed, count=16):
    """A PNG of photographs and samples in random order; the key: P or S by place, row by row. It shows photographs:
    as they, it stays at the site."""
    random = np.random.default_rng(seed)
    chosen = [("P", picture) for picture in real.images[random.permutation(len(real))[:count]]]
    chosen += [("S", picture) for picture in samples.images[random.permutation(len(samples))[:count]]]
    order = [chosen[place] for place in random.permutation(len(chosen))]
    rows = [order[start : start + 8] for start in range(0, len(order), 8)]
    black = np.zeros_like(real.images[0])
    lines = [np.concatenate([picture for _, picture in row] + [black] * (8 - len(row)), axis=1) for row in rows]
    from PIL import Image

    Image.fromarray(np.concatenate(lines)).save(path, format="PNG")
    return ["".join(letter for letter, _ in row) for row in rows]


def parsed():
    parser = argparse.ArgumentParser(
        prog="realism", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", help="a sample set")
    parser.add_argument("--photographs", required=True, metavar="SITE.h5[,...]", help="datasets")
    parser.add_argument("--site", help="only the datasets of this site")
    parser.add_argument(
        "--split",
        choices=list(realism_pictures.CHOICES),
        default="test-splits",
        help="the photographs to compare with (default: validation and holdout); with all, the floor is between halves",
    )
    parser.add_argument(
        "--photographs-too",
        choices=list(realism_pictures.SPLITS),
        help="one more comparison, with this split: samples nearer to train than to test-splits are copies, perhaps",
    )
    parser.add_argument("--size", type=int, help="side at which all is measured (default: the samples')")
    parser.add_argument(
        "--anatomy",
        type=int,
        default=128,
        metavar="N",
        help="pictures of each set whose vessels and discs are measured",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--sheet", type=pathlib.Path)
    return parser.parse_args()


def chosen(photographs, split):
    """Row numbers of the photographs to compare with, and of the others that the floor is from."""
    rows = photographs.rows(realism_pictures.CHOICES[split])
    if split == "all":
        rows = np.random.default_rng(0).permutation(rows)
        return rows, (rows[::2], rows[1::2])
    other = photographs.rows(("train",) if split == "test-splits" else ("validation", "holdout"))
    return rows, (rows, other)


def measured(arguments):
    photographs = realism_pictures.Photographs(arguments.photographs.split(","), arguments.site)
    pictures = realism_pictures.samples(arguments.samples)
    size = arguments.size or pictures.shape[1]
    if min(size, photographs.images.shape[1]) < 64:
        raise realism_pictures.Refused("Pictures of less than 64 pixels show nothing that is measured here.")
    rows, (first, second) = chosen(photographs, arguments.split)
    if len(rows) < 10:
        raise realism_pictures.Refused(
            f"There are {len(rows)} photographs of the splits asked for; at least 10 are needed."
        )
    real, samples = PictureSet(photographs.images[rows], size), PictureSet(pictures, size)
    if arguments.split == "all":
        floor = (PictureSet(photographs.images[first], size), PictureSet(photographs.images[second], size))
    else:
        floor = (real, PictureSet(photographs.images[second], size) if len(second) >= 10 else None)
    too = None
    if arguments.photographs_too:
        too = PictureSet(photographs.images[photographs.rows((arguments.photographs_too,))], size)
    import realism_features

    network, other = realism_features.Features(), floor[1]
    found = distances(network, real, other if floor[0] is real else None, samples, too)
    if floor[0] is not real:
        found["halves of the photographs (the floor)"] = apart(floor[0].features(network), floor[1].features(network))
        other = None
    sets = {"photographs": real, "samples": samples} | ({} if other is None else {"other photographs": other})
    return (
        real,
        samples,
        {
            "kind": "fovea.realism",
            "version": 1,
            "size": size,
            "photographs": len(real),
            "samples": len(samples),
            "other_photographs": 0 if other is None else len(other),
            "split": arguments.split,
            "sites": sorted(set(photographs.site.tolist())),
            "distances": found,
            "spectrum": spectra(real, other, samples),
            "anatomy": anatomy(sets, arguments.anatomy),
        },
    )


def main():
    arguments = parsed()
    try:
        real, samples, result = measured(arguments)
    except realism_pictures.Refused as refused:
        sys.exit(str(refused))
    if arguments.sheet:
        result["sheet"] = sheet(arguments.sheet, real, samples, arguments.seed)
    print(realism_report.table(result))
    if arguments.json:
        unfinished = arguments.json.with_name(arguments.json.name + ".unfinished")
        unfinished.write_text(json.dumps(result, indent=2, allow_nan=False) + "\n")
        os.replace(unfinished, arguments.json)


if __name__ == "__main__":
    main()
