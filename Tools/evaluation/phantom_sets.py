#!/usr/bin/env python3
"""Makes datasets with a rare cohort from phantoms, and sets of drawn pictures that are good, mislabelled or all alike.

    phantom_sets.py site   PHANTOMS.h5 OUT.h5 --attribute dr_icdr --rare 4 --share 0.02 --seed 1
    phantom_sets.py good   PHANTOMS.h5 OUT.h5 --attribute dr_icdr --value 4 --count 200
    phantom_sets.py shuffled PHANTOMS.h5 OUT.h5 --attribute dr_icdr
    phantom_sets.py collapsed PHANTOMS.h5 OUT.h5
    phantom_sets.py copies SITE.h5 OUT.h5

`site` thins the patients of the rare value in the train and validation splits until they are that share of the train
split; the holdout keeps all of them. `good` keeps the pictures of one value, or all. `shuffled` permutes the labels.
`collapsed` repeats the first picture under the labels of all. `copies` keeps the train split as it is. These show
whether `fovea evaluate` says what is true, because here it is known. Needs h5py alone.
"""

import argparse

import h5py
import numpy as np


def copied(source, target, rows, changes):
    """Copies a dataset file with the rows in that order. `changes`: the new content of some arrays, by path."""
    count = source["images"].shape[0]
    for name, value in source.attrs.items():
        target.attrs.create(name, value, dtype=source.attrs.get_id(name).dtype)

    def visit(path, node):
        if isinstance(node, h5py.Group):
            target.require_group(path)
        elif node.shape and node.shape[0] == count:
            data = changes.get(path)
            target.create_dataset(path, data=node[:][rows] if data is None else data, dtype=node.dtype)
        else:
            source.copy(node, target, name=path)
        if isinstance(node, h5py.Dataset) and path in target:
            for key in node.attrs:
                if key not in target[path].attrs:
                    target[path].attrs.create(key, node.attrs[key], dtype=node.attrs.get_id(key).dtype)

    source.visititems(visit)


def codes(source, attribute, value):
    """The codes of an attribute, and the code of one value."""
    column = source[f"cohort/{attribute}"]
    return column[:], h5py.check_enum_dtype(column.dtype)[value] if value is not None else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["site", "good", "shuffled", "collapsed", "copies"])
    parser.add_argument("phantoms")
    parser.add_argument("out")
    parser.add_argument("--attribute", default="dr_icdr")
    parser.add_argument("--rare")
    parser.add_argument("--value")
    parser.add_argument("--share", type=float, default=0.02)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    with h5py.File(options.phantoms, "r") as source, h5py.File(options.out, "w") as target:
        rows, changes = np.arange(source["images"].shape[0]), {}
        if options.kind == "site":
            column, rare = codes(source, options.attribute, options.rare)
            split = source["split"][:]
            names = h5py.check_enum_dtype(source["split"].dtype)
            keep = np.ones(len(rows), bool)
            for part in ("train", "validation"):
                inside = split == names[part]
                others = np.count_nonzero(inside & (column != rare))
                few = max(1, round(options.share / (1 - options.share) * others))
                own = random.permutation(np.flatnonzero(inside & (column == rare)))
                keep[own[few:]] = False
            rows = rows[keep]
        elif options.kind == "good" and options.value is not None:
            column, value = codes(source, options.attribute, options.value)
            rows = rows[column == value]
        elif options.kind == "shuffled":
            path = f"cohort/{options.attribute}"
            changes[path] = source[path][:][random.permutation(len(rows))]
        elif options.kind == "collapsed":
            changes["images"] = np.repeat(source["images"][:1], len(rows), axis=0)
            changes["digest"] = np.repeat(source["digest"][:1], len(rows), axis=0)
        elif options.kind == "copies":
            rows = rows[source["split"][:] == h5py.check_enum_dtype(source["split"].dtype)["train"]]
        if options.count is not None:
            rows = rows[: options.count]
            changes = {path: data[: options.count] for path, data in changes.items()}
        copied(source, target, rows, changes)
        print(f"{options.out}: {len(rows)} pictures")


if __name__ == "__main__":
    main()
