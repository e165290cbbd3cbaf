#!/usr/bin/env python3
"""Kills fovea at random instants while it samples, packs and exports, and checks that nothing is lost and nothing is
half.

    kill_samples.py MODEL KILLS [SEED]      in an empty folder, with fovea on the PATH

A third of the kills each: sampling (a run is killed and resumed until it is done), packing (the samples are all there,
the file is not), exporting. After every kill: the file under the final name is whole or absent, no finished batch is
gone, nothing lies about. In the end content digests equal those of runs straight through. Prints one line; exit 1 where
anything is wrong.
"""

import filecmp
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time

import h5py

MOMENTS = {"runs/started", "runs/finished"}


def content(path):
    """SHA-256 of every dataset but the moments."""
    digest = hashlib.sha256()
    with h5py.File(path) as file:
        names = []
        file.visit(names.append)
        for name in sorted(names):
            # Names and bytes of shards follow the set's name and the moments.
            if isinstance(file[name], h5py.Dataset) and name not in MOMENTS and not name.startswith("shards/"):
                digest.update(name.encode() + str(file[name].dtype).encode() + file[name][()].tobytes())
    return digest.hexdigest()


def is_whole(path):
    data = pathlib.Path(path).read_bytes()
    return data[:512] == (b"fovea.samples 1\n" + hashlib.sha256(data[512:]).hexdigest().encode() + b"\n").ljust(
        512, b"\0"
    )


def finished_rows(folder):
    """Rows of whole batches in a journal, read without Fovea."""
    path = pathlib.Path(folder) / "samples.journal"
    data = path.read_bytes() if path.exists() else b""
    rows = place = 0
    while data[place : place + 4] == b"FVB1":
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        text = data[place + 8 : place + 8 + length]
        if len(text) < length or hashlib.sha256(text).digest() != data[place + 8 + length : place + 40 + length]:
            break
        batch = json.loads(text)
        rows = batch["first"] + len(batch["samples"])
        place += 40 + length
    return rows


def run(arguments, delay=None):
    """Runs fovea; after `delay` seconds it is killed. Returns the exit code."""
    process = subprocess.Popen(["fovea"] + arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        _, said = process.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return -9
    if process.returncode != 0:
        raise SystemExit(f"fovea {' '.join(arguments)}: exit code {process.returncode}: {said.decode()[-400:]}")
    return 0


def expect(condition, what):
    if not condition:
        raise SystemExit(what)


def sample_until_done(arguments, out, kills, longest):
    """Kills and resumes; returns the kills that hit."""
    hits = rows = 0
    while True:
        code = run(arguments + ["--out", out, "--resume"], random.uniform(0.01, longest) if hits < kills else None)
        if os.path.exists(out):
            expect(is_whole(out), f"{out} is half after {hits} kills")
        else:
            now = finished_rows(out + ".unfinished")
            expect(now >= rows, f"{out}: {rows} samples became {now}")
            rows = now
        if code == 0:
            return hits
        hits += 1


def main():
    model, kills = sys.argv[1], int(sys.argv[2])
    random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    settings = [
        "sample",
        "--model",
        model,
        "--cohort",
        "dr_icdr=3",
        "--cohort",
        "dr_icdr=1.5",
        "--steps",
        "2",
        "--seed",
        "5",
        "--quiet",
    ]
    done = {"sampling": 0, "packing": 0, "exporting": 0}
    third = kills // 3

    # Sampling; every second round into shards.
    number = 0
    while done["sampling"] < third:
        arguments = settings + ["--count", "1500", "--batch", "4"] + (["--shard-size", "400"] if number % 2 else [])
        out = f"killed-{number}.h5"
        straight = f"straight-{number % 2}.h5"
        if not os.path.exists(straight):
            run(arguments + ["--out", straight])
        done["sampling"] += sample_until_done(arguments, out, min(15, third - done["sampling"]), 1.2)
        expect(content(out) == content(straight), f"{out} differs from a run straight through")
        number += 1

    # Packing: all samples are there.
    arguments = settings + ["--count", "30000", "--batch", "200", "--steps", "1"]
    process = subprocess.Popen(["fovea"] + arguments + ["--out", "packed.h5"], stderr=subprocess.DEVNULL)
    while not os.path.exists("packed.h5.unfinished/packed.h5.part") and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    expect(finished_rows("packed.h5.unfinished") == 30000, "packing was not caught")
    shutil.copytree("packed.h5.unfinished", "all-samples")
    while done["packing"] < third:
        done["packing"] += sample_until_done(arguments, "packed.h5", min(25, third - done["packing"]), 1.0)
        digest = content("packed.h5")
        if done["packing"] < third:
            os.remove("packed.h5")
            shutil.copytree("all-samples", "packed.h5.unfinished")
    shutil.copytree("all-samples", "again.h5.unfinished")
    run(arguments + ["--out", "again.h5", "--resume"])
    expect(content("again.h5") == digest, "packed.h5 differs from one that was packed at once")

    # Exporting.
    forms = ["png", "npz", "webdataset"]
    for form in forms:
        run(["export", "straight-0.h5", "--to", form, "--out", f"whole-{form}", "--quiet"])
    while done["exporting"] < kills - 2 * third:
        form = random.choice(forms)
        out = f"export-{form}"
        shutil.rmtree(out, ignore_errors=True)
        if run(["export", "straight-0.h5", "--to", form, "--out", out, "--quiet"], random.uniform(0.01, 1.2)) == 0:
            continue
        done["exporting"] += 1
        if os.path.exists(out):
            run(["verify", out, "--quiet"])
    for form in forms:
        shutil.rmtree(f"export-{form}", ignore_errors=True)
        os.makedirs("same-name", exist_ok=True)
        run(["export", "straight-0.h5", "--to", form, "--out", f"same-name/whole-{form}", "--quiet"])
        difference = filecmp.dircmp(f"whole-{form}", f"same-name/whole-{form}")
        expect(
            not (difference.left_only or difference.right_only or difference.diff_files),
            f"whole-{form} differs from one that was written again",
        )
        run(["export", "straight-0.h5", "--to", form, "--out", f"export-{form}", "--quiet"])
    left = [name for name in os.listdir(".") if name.endswith(".unfinished") or name.startswith(".")]
    expect(not left, f"left behind: {left}")
    print(
        f"{sum(done.values())} kills ({', '.join(f'{count} {name}' for name, count in done.items())}): "
        "nothing lost, nothing half, digests equal"
    )


main()
