"""Fovea against PyTorch and diffusers, in turn, in one go. Called by Tools/bench/against-pytorch."""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


class Fovea:
    """`fovea bench --exchange`: one timing for each line that it is given."""

    def __init__(self, fovea: str, folder: str, threads: int, network: list):
        self.process = subprocess.Popen(
            [fovea, "bench", *network, "--exchange", folder, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, what: str) -> dict:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"fovea bench ended on {what!r} with exit code {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def high_water_mark() -> int:
    """VmHWM of this process in MiB."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) // 1024


def processor() -> str:
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def median_ratio(name: str, theirs: list, ours: list, results: dict):
    """The median of pairwise ratios, theirs over ours: above 1, Fovea is faster."""
    ratios = sorted(a / b for a, b in zip(theirs, ours))
    results[name] = dict(
        ratio=statistics.median(ratios),
        lowest=ratios[0],
        highest=ratios[-1],
        pairs=len(ratios),
        theirs=statistics.median(theirs),
        ours=statistics.median(ours),
    )
    r = results[name]
    print(
        f"{name:44} {r['theirs']:10.1f} {r['ours']:10.1f} {r['ratio']:7.2f}   "
        f"{r['lowest']:.2f} to {r['highest']:.2f}, {r['pairs']} pairs",
        flush=True,
    )


def check_agreement(reference, fovea: Fovea, folder: pathlib.Path) -> dict:
    """Outputs and gradients of both sides, relative in l2."""
    import torch
    from safetensors.torch import load_file

    fovea.run("results")
    ours = load_file(folder / "results.safetensors")
    reference.optimizer.zero_grad(set_to_none=True)
    output = reference.output()
    torch.nn.functional.mse_loss(output, reference.target).backward()

    def relative(a, b):
        return float((a.double() - b.double()).norm() / b.double().norm().clamp_min(1e-30))

    worst = ("", 0.0)
    squares = error_squares = 0.0
    for name, parameter in reference.model.named_parameters():
        difference = relative(ours[name], parameter.grad)
        error_squares += float((ours[name].double() - parameter.grad.double()).pow(2).sum())
        squares += float(parameter.grad.double().pow(2).sum())
        # A key's bias moves all scores of a query alike, which softmax ignores: its gradient is rounding alone.
        if not name.endswith("to_k.bias") and difference > worst[1]:
            worst = (name, difference)
    agreement = dict(
        output=relative(ours["output"], output.detach()),
        all_gradients=(error_squares / squares) ** 0.5,
        worst_gradient=worst,
    )
    print(
        f"output differs by {agreement['output']:.1e}, all gradients together by {agreement['all_gradients']:.1e}, "
        f"the worst parameter's by {worst[1]:.1e} ({worst[0]})",
        flush=True,
    )
    if not (agreement["output"] <= 2e-5 and agreement["all_gradients"] <= 1e-4 and worst[1] <= 2e-3):
        raise SystemExit("the two sides do not compute the same")
    return agreement


def peak_memory(arguments, folder: str) -> tuple:
    """Five training steps each, alone in a process: VmHWM in MiB."""
    from reference_model import NETWORKS

    ours = Fovea(arguments.fovea, folder, arguments.threads, NETWORKS[arguments.network][1])
    peak = max(ours.run("step")["peak_mib"] for _ in range(5))
    ours.close()
    theirs = subprocess.run(
        [
            sys.executable,
            __file__,
            "--fovea",
            arguments.fovea,
            "--threads",
            str(arguments.threads),
            "--batch",
            str(arguments.batch),
            "--network",
            arguments.network,
            "--only-memory",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(theirs.stdout), peak


def whole_commands(arguments, results: dict):
    """16 images of 64 x 64 in 18 Heun steps, from process start to files: `fovea sample` against a diffusers script."""
    with tempfile.TemporaryDirectory() as folder:

        def fovea(*words):
            return subprocess.run(
                [arguments.fovea, *words, "--quiet", "--json"], check=True, capture_output=True, text=True
            ).stdout

        fovea("phantom", "--count", "12", "--size", "64", "--seed", "1", "--out", f"{folder}/phantoms.h5")
        fovea(
            "train",
            "--data",
            f"{folder}/phantoms.h5",
            "--out",
            f"{folder}/run",
            "--preset",
            "base",
            "--size",
            "64",
            "--images",
            "16",
        )
        snapshot = f"{folder}/run/snapshot.safetensors"
        ours, theirs, starts = [], [], []
        sample = [
            "sample",
            "--model",
            snapshot,
            "--count",
            "16",
            "--steps",
            "18",
            "--batch",
            "16",
            "--force",
            "--threads",
            str(arguments.threads),
            "--out",
            f"{folder}/samples.h5",
        ]
        script = [sys.executable, str(HERE / "sample_with_diffusers.py"), snapshot, folder, str(arguments.threads)]
        for _ in range(arguments.whole_pairs):
            theirs.append(timed(lambda: subprocess.run(script, check=True, capture_output=True)))
            ours.append(timed(lambda: starts.append(json.loads(fovea(*sample))["first_step_seconds"])))
        median_ratio("16 images, 18 Heun steps, whole command (ms)", theirs, ours, results)
        imports = [
            timed(
                lambda: subprocess.run(
                    [sys.executable, "-c", "import torch, diffusers; from diffusers import UNet2DModel"], check=True
                )
            )
            for _ in range(3)
        ]
        results["start"] = dict(
            first_step_seconds=statistics.median(starts), import_seconds=statistics.median(imports) / 1000
        )
        print(
            f"process start to first denoising step: {results['start']['first_step_seconds']:.2f} s; "
            f"importing torch and diffusers: {results['start']['import_seconds']:.1f} s",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fovea", required=True)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--whole-pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--network", default="base", choices=("base", "wavelet"))
    parser.add_argument("--json")
    parser.add_argument("--only-memory", action="store_true")
    arguments = parser.parse_args()

    import diffusers
    import torch
    from safetensors.torch import save_file

    from reference_model import NETWORKS, Reference

    torch.set_num_threads(arguments.threads)
    reference = Reference(arguments.batch, arguments.network)
    if arguments.only_memory:
        for _ in range(5):
            reference.step()
        print(high_water_mark())
        return

    results = dict(
        processor=processor(), threads=arguments.threads, torch=torch.__version__, diffusers=diffusers.__version__
    )
    versions = f"torch {torch.__version__}, diffusers {diffusers.__version__}"
    print(
        f"{results['processor']}, {arguments.threads} threads, {versions}, "
        f"network {arguments.network}, batch {arguments.batch}"
    )
    with tempfile.TemporaryDirectory() as folder:
        save_file(
            {name: value.contiguous() for name, value in reference.model.state_dict().items()},
            f"{folder}/weights.safetensors",
        )
        save_file(
            dict(
                sample=reference.sample.contiguous(),
                target=reference.target.contiguous(),
                timesteps=reference.timesteps,
                labels=reference.labels.float(),
            ),
            f"{folder}/batch.safetensors",
        )
        ours = Fovea(arguments.fovea, folder, arguments.threads, NETWORKS[arguments.network][1])
        results["agreement"] = check_agreement(reference, ours, pathlib.Path(folder))
        print(f"{'':44} {'theirs':>10} {'ours':>10} {'ratio':>7}", flush=True)
        for what in ("forward", "step"):
            work = getattr(reference, what)
            ours.run(what)
            first32, first16 = timed(work), timed(lambda work=work: work(bfloat16=True))
            # A processor without bfloat16 emulates it: one run of such a length says enough.
            is_emulated = first16 > 4 * first32
            float32, bfloat16, mine = [], [first16] if is_emulated else [], []
            for _ in range(arguments.pairs):
                float32.append(timed(work))
                mine.append(ours.run(what)["ms"])
                if not is_emulated:
                    bfloat16.append(timed(lambda work=work: work(bfloat16=True)))
            median_ratio(f"{what}, float32 (ms)", float32, mine, results)
            median_ratio(f"{what}, bfloat16 autocast (ms)", bfloat16, mine, results)
        if arguments.threads > 1:
            single = Fovea(arguments.fovea, folder, 1, NETWORKS[arguments.network][1])
            for what in ("forward", "step"):
                single.run(what)
                pairs = [(single.run(what)["ms"], ours.run(what)["ms"]) for _ in range(arguments.pairs)]
                median_ratio(f"{what}, one thread against {arguments.threads} (ms)", *map(list, zip(*pairs)), results)
            single.close()
        ours.close()
        theirs_peak, our_peak = peak_memory(arguments, folder)
        results["memory"] = dict(theirs=theirs_peak, ours=our_peak, ratio=our_peak / theirs_peak)
        print(
            f"{'peak memory of training (MiB)':44} {theirs_peak:10} {our_peak:10} {our_peak / theirs_peak:7.2f}",
            flush=True,
        )
    if arguments.whole_pairs > 0 and arguments.network == "base":
        whole_commands(arguments, results)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")


main()
