#!/usr/bin/env python3
"""Times the training step of the classifier of `fovea evaluate` against PyTorch's, on the same threads, in turn.

    classifier.py --fovea FOVEA [--batch 32] [--side 64] [--pairs 5] [--threads 2]

The network is the one of Sources/Classification/ClassifierNetwork.swift: the same layers, AdamW, cross-entropy. Prints
the medians of both and the median of the ratios. Needs torch.
"""

import argparse
import json
import statistics
import subprocess
import time

import torch
from torch import nn


def normed(inputs, outputs, stride=1):
    return nn.Sequential(nn.GroupNorm(8, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1))


class Classifier(nn.Module):
    def __init__(self, channels=16, classes=5):
        super().__init__()
        self.stem = nn.Conv2d(6, channels, 3, stride=2, padding=1)
        widths = [channels, 2 * channels, 4 * channels]
        self.entries = nn.ModuleList([nn.Identity()] + [normed(a, b, 2) for a, b in zip(widths, widths[1:])])
        self.blocks = nn.ModuleList([nn.Sequential(normed(w, w), normed(w, w)) for w in widths])
        self.norm = nn.Sequential(nn.GroupNorm(8, widths[-1]), nn.SiLU())
        self.output = nn.Linear(2 * widths[-1], classes)

    def forward(self, x):
        x = self.stem(x)
        for entry, block in zip(self.entries, self.blocks):
            x = entry(x)
            x = x + block(x)
        x = self.norm(x)
        return self.output(torch.cat([x.mean((2, 3)), x.square().mean((2, 3))], 1))


def torch_milliseconds(options, repeats):
    network = Classifier().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), 4e-3, weight_decay=0.02)
    pictures = torch.randn(options.batch, 6, options.side, options.side).to(memory_format=torch.channels_last)
    labels = torch.arange(options.batch) % 5
    times = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(network(pictures), labels).backward()
        optimizer.step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[3:])


def fovea_milliseconds(options, repeats):
    command = [
        options.fovea,
        "bench",
        "--classifier",
        "--json",
        "--batch",
        str(options.batch),
        "--size",
        str(options.side),
    ]
    command += ["--repeats", str(repeats), "--threads", str(options.threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["classifier"]["median"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fovea", required=True)
    for name, value in [("batch", 32), ("side", 64), ("pairs", 5), ("threads", 2)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pairs = [(fovea_milliseconds(options, 60), torch_milliseconds(options, 60)) for _ in range(options.pairs)]
    own, other = (statistics.median(column) for column in zip(*pairs))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"fovea {own:.1f} ms, PyTorch {torch.__version__} {other:.1f} ms a step; PyTorch / fovea {ratio:.2f}")


if __name__ == "__main__":
    main()
