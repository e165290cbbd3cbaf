#!/usr/bin/env python3
"""Runs `fovea evaluate` again and again where the truth is known, and counts what it says.

    repetitions.py FOVEA OUT [--count 20] [--good 10] [--kinds shuffled,copies,shuffled,collapsed]

Each repetition has new phantoms of a site in which grade 4 is rare, of patients of another site to test on, and of a
synthetic set. Two arms are trained: photographs with the classes drawn equally often, and these with the synthetic set.
--count repetitions have sets that cannot help, of --kinds in turn:

    shuffled   other phantoms, whose grades were permuted
    collapsed  one picture under the grades of all
    copies     the photographs that are trained on. Both arms then draw each picture equally often: the gain is 0

and --good repetitions have other phantoms with their own grades. Exit 1 where `helps` is said of more than one of
twenty sets that cannot help. OUT/repetitions.json holds all figures. A repetition takes about 40 s on two cores. With
half as many pictures and 200 steps, good sets are not told from others either. Needs h5py.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

import h5py

SETS = pathlib.Path(__file__).resolve().parent / "phantom_sets.py"


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def repetition(options, number, kind):
    """The verdict and the gain with its interval on the other site's patients."""
    folder = options.out / f"{number:03}-{kind}"
    folder.mkdir(parents=True)

    def path(name):
        return folder / f"{name}.h5"

    counts = {"pool": options.photographs, "test": options.tests, "drawn": options.drawn}
    for place, (name, count) in enumerate(counts.items()):
        arguments = ["--count", count, "--size", options.size, "--seed", options.seed + 3 * number + place]
        run(options.fovea, "phantom", *arguments, "--site", name, "--out", path(name), "--quiet")
    rare = ["--rare", 4, "--share", options.share, "--seed", number]
    run(sys.executable, SETS, "site", path("pool"), path("site"), *rare)
    run(sys.executable, SETS, kind, path("site" if kind == "copies" else "drawn"), path("set"), "--seed", number)
    with h5py.File(path("set")) as file:
        arms = f"resampled,added-{len(file['images'])}-resampled"
    settings = ["--seeds", options.seeds, "--steps", options.steps, "--size", options.size, "--arms", arms]
    task = ["--task", "dr_icdr", "--positive", "4", "--parts", "usefulness"]
    run(
        options.fovea, "evaluate", path("set"), "--train", path("site"), "--test", path("test"), *task, *settings,
        "--out", folder / "eval", "--quiet",
    )  # fmt: skip
    found = json.loads((folder / "eval" / "evaluation.json").read_text())["usefulness"]["tests"]
    for name in ["pool", "test", "drawn", "site", "set"]:
        path(name).unlink()
    test = next(test for test in found if test["name"] == "test.h5")
    return {
        "number": number, "kind": kind, "verdicts": {test["name"]: test["verdict"] for test in found},
        "areas": {arm["name"]: arm["area"]["value"] for arm in test["arms"]},
        "gain": test["comparisons"][0]["difference"],
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fovea")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--kinds", default="shuffled,copies,shuffled,collapsed")
    parser.add_argument("--share", type=float, default=0.02, help="grade 4 among the photographs that are trained on")
    for name, value in [
        ("count", 20), ("good", 10), ("seeds", 3), ("steps", 300), ("size", 32), ("photographs", 600), ("tests", 600),
        ("drawn", 800), ("seed", 100_000),
    ]:  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    results = []
    for number in range(options.count + options.good):
        kind = kinds[number % len(kinds)] if number < options.count else "good"
        started = time.monotonic()
        results.append(repetition(options, number, kind))
        gain = " to ".join(f"{100 * results[-1]['gain'][key]:+.1f}" for key in ["low", "high"])
        areas = " ".join(f"{area:.3f}" for area in results[-1]["areas"].values())
        said = results[-1]["verdicts"]["test.h5"]
        print(f"{number:3} {kind:9} {areas}  {gain:15} {said}, {time.monotonic() - started:.0f} s", flush=True)
    (options.out / "repetitions.json").write_text(json.dumps(results, indent=1))
    for kind in sorted({result["kind"] for result in results}):
        own = [result["verdicts"]["test.h5"] for result in results if result["kind"] == kind]
        print(f"{kind}: {len(own)}, of which " + ", ".join(f"{said} {own.count(said)}" for said in sorted(set(own))))
    wrong = sum("helps" in result["verdicts"].values() for result in results if result["kind"] != "good")
    print(f"`helps` is said of {wrong} of {options.count} sets that cannot help, on any test set")
    sys.exit(1 if wrong > max(1, options.count / 20) else 0)


if __name__ == "__main__":
    main()
