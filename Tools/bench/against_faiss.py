"""The measurement of Tools/bench/against-faiss: IndexFlatL2 against fovea bench --neighbors, on the same vectors, in
turn."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--fovea", required=True)
parser.add_argument("--pairs", type=int, default=5)
parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
parser.add_argument("--probes", type=int, default=10_000)
parser.add_argument("--gallery", type=int, default=100_000)
parser.add_argument("--width", type=int, default=512)
parser.add_argument("--nearest", type=int, default=10)
parser.add_argument("--json", default=None)
arguments = parser.parse_args()
# Before the libraries are loaded: OpenBLAS reads it then.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(arguments.threads)

import faiss  # noqa: E402
import numpy as np  # noqa: E402

faiss.omp_set_num_threads(arguments.threads)


def vectors(kind, random):
    """Probes and gallery: normal, or each gallery vector a noisy copy of one of 1,000 centres, as photographs of few
    kinds are."""
    shape = (arguments.probes, arguments.width), (arguments.gallery, arguments.width)
    if kind == "normal":
        return tuple(random.standard_normal(s, dtype=np.float32) for s in shape)
    centres = random.standard_normal((1000, arguments.width), dtype=np.float32)
    return tuple(
        centres[random.integers(0, 1000, s[0])] + np.float32(0.1) * random.standard_normal(s, dtype=np.float32)
        for s in shape
    )


def with_faiss(probes, gallery):
    start = time.perf_counter()
    index = faiss.IndexFlatL2(arguments.width)
    index.add(gallery)
    _, found = index.search(probes, arguments.nearest)
    return time.perf_counter() - start, found


def with_fovea(folder):
    said = subprocess.run(
        [
            arguments.fovea,
            "bench",
            "--neighbors",
            "--exchange",
            folder,
            "--width",
            str(arguments.width),
            "--nearest",
            str(arguments.nearest),
            "--threads",
            str(arguments.threads),
            "--json",
            "--quiet",
        ],
        check=True,
        capture_output=True,
    )
    result = json.loads(said.stdout)["neighbors"]
    return result, np.fromfile(f"{folder}/indices.i32", np.int32).reshape(arguments.probes, -1)


def squared(probes, gallery, indices):
    """Squared distances in float64, nearest first."""
    parts = [
        ((gallery[indices[i : i + 500]].astype(np.float64) - probes[i : i + 500, None]) ** 2).sum(-1)
        for i in range(0, len(indices), 500)
    ]
    return np.sort(np.concatenate(parts), axis=1)


print(
    f"{arguments.probes} probes, {arguments.gallery} in the gallery, {arguments.width} numbers, "
    f"{arguments.nearest} nearest, {arguments.threads} threads, faiss {faiss.__version__}, "
    f"load {os.getloadavg()[0]:.2f}"
)
results = []
with tempfile.TemporaryDirectory() as folder:
    for kind in ("normal", "clustered"):
        probes, gallery = vectors(kind, np.random.default_rng(1))
        probes.tofile(f"{folder}/probes.f32")
        gallery.tofile(f"{folder}/gallery.f32")
        theirs, ours, peaks, equal = [], [], [], 1.0
        for _ in range(arguments.pairs):
            seconds, expected = with_faiss(probes, gallery)
            theirs.append(seconds)
            result, found = with_fovea(folder)
            ours.append(result["seconds"])
            peaks.append(result["peak_mib"])
            equal = min(equal, float((found == expected).mean()))
        # Faiss orders by float32 products, whose rounding swaps neighbours in dense clusters: what counts is that none
        # of ours is farther.
        assert (squared(probes, gallery, found) <= squared(probes, gallery, expected) + 1e-9).all(), (
            f"{kind}: faiss found nearer ones"
        )
        ratios = [t / o for t, o in zip(theirs, ours)]
        results.append(
            {
                "vectors": kind,
                "faiss_seconds": statistics.median(theirs),
                "seconds": statistics.median(ours),
                "times_faiss": statistics.median(ratios),
                "lowest": min(ratios),
                "highest": max(ratios),
                "equal": equal,
                "peak_mib": max(peaks),
                "pairs": arguments.pairs,
                "threads": arguments.threads,
            }
        )
        print(
            f"{kind}: faiss {statistics.median(theirs):.2f} s, Fovea {statistics.median(ours):.2f} s, "
            f"{statistics.median(ratios):.2f} x faiss's speed "
            f"({min(ratios):.2f} to {max(ratios):.2f}), {max(peaks)} MiB, {equal:.4%} of the neighbours the same"
        )
if arguments.json:
    pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1))
