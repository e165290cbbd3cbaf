"""The arms of `fovea evaluate` that add pictures, in PyTorch: a second implementation to compare figures with.

    usefulness.py DATASET.h5 SAMPLES.h5 --task dr_icdr --positive 2,3,4 [--seeds 5] [--steps 600] [--size 64]
                  [--arms resampled,added-150-resampled] [--evaluation EVAL] [--out predictions.json]

Arms are `real`, `augmented`, `resampled`, `added-N` and `added-N-resampled`. Prints the area under the ROC curve on the
holdout for each arm, and each arm less the first one, with 95 % intervals over patients and trainings.
With --evaluation, the folder that `fovea evaluate` wrote for the same files, the areas by Fovea stand beside them, and
how far the implementations are apart on the same patients; exit 1 where such an interval leaves out 0.

Random numbers are not those of Fovea, so that single trainings differ. Trainings whose scores stand in --out
already, of the same files and settings, are not done again. Needs torch, scipy and h5py. Where other programs use the
same cores, OMP_WAIT_POLICY=PASSIVE saves much time.
"""

import argparse
import json
import pathlib
import re
import sys
import time

import h5py
import numpy
import torch
from scipy import stats
from torch.nn import functional

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import classifier  # noqa: E402

TRAIN, VALIDATION, HOLDOUT = 0, 1, 2
OUTSIDE = ["unknown", "unspecified", "ungradable"]
BATCH, CHECKS, RESAMPLES = 32, 6, 2000


def shrinking(source, target):
    """[target, source]: one line of pixels made smaller by a sinc of one lobe in a Hamming window."""
    scale = max(1.0, source / target)
    x = (numpy.arange(source) + 0.5 - (numpy.arange(target)[:, None] + 0.5) * source / target) / scale
    kernel = numpy.where(numpy.abs(x) < 1, numpy.sinc(x) * (0.54 + 0.46 * numpy.cos(numpy.pi * x)), 0)
    return kernel / kernel.sum(1, keepdims=True)


def pictures(file, rows, size):
    """[N, 3, size, size] in [-1, 1], rounded to bytes as Fovea rounds them."""
    images = file["images"][:][rows].astype("float64")
    if images.shape[1] != size:
        lines = shrinking(images.shape[1], size)
        images = numpy.floor(numpy.einsum("yh,nhwc,xw->nyxc", lines, images, lines, optimize=True) + 0.5)
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def labelled(file, task, positive):
    """The rows that belong to a class, and whether each of these is a case."""
    column = file[f"cohort/{task}"]
    code = h5py.check_enum_dtype(column.dtype)
    rows = numpy.flatnonzero(~numpy.isin(column[:], [code[name] for name in OUTSIDE if name in code]))
    return rows, numpy.isin(column[:][rows], [code[name] for name in positive]).astype(int)


def changed(x, random):
    """Pictures mirrored, turned, scaled, shifted, lighter or darker, warmer or colder; black comes in from outside."""
    count, side = len(x), x.shape[-1]
    mirrored = torch.from_numpy(random.random(count) < 0.5)
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    turn, size, right, down, light, warm = torch.from_numpy(random.standard_normal((6, count)).clip(-3, 3)).float()
    cosine, sine = (f(0.15 * turn) * torch.exp(-0.1 * size) for f in (torch.cos, torch.sin))
    # The place that a pixel comes from; a shift of 2 % of the side is 0.04 where the side is 2.
    dx, dy = -0.04 * right, -0.04 * down
    rows = [cosine, sine, cosine * dx + sine * dy, -sine, cosine, cosine * dy - sine * dx]
    grid = functional.affine_grid(torch.stack(rows, 1).view(count, 2, 3), [count, 3, side, side], align_corners=False)
    x = functional.grid_sample(x + 1, grid, align_corners=False)
    gains = torch.exp(0.1 * light[:, None] + 0.07 * warm[:, None] * torch.tensor([1.0, 0.0, -1.0]))
    return x * gains[:, :, None, None] - 1


def contrast(x):
    """The local contrast of red, green and luma inside the field of view."""
    x = (x + 1) / 2
    radius = max(2, (x.shape[-1] + 6) // 12)
    mask = (x.sum(1, keepdim=True) > 0.18).float()

    def near(plane):
        for _ in range(2):
            plane = functional.avg_pool2d(plane, 2 * radius + 1, stride=1, padding=radius)
        return plane

    luma = (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    planes = torch.cat([x[:, :2], luma], 1) * mask
    mean = near(planes) / (near(mask) + 1e-6)
    found = (planes - mean) / (mean + 0.05) * mask
    deviation = (found.square().sum((2, 3)) / mask.sum((2, 3)).clamp(min=1)).sqrt() + 1e-3
    return (found / deviation[:, :, None, None]).clamp(-3, 3)


class Training:
    """One training of one arm."""

    def __init__(self, x, labels, validation, steps, augments, balanced, seed):
        torch.manual_seed(seed)
        self.random = numpy.random.default_rng(seed)
        self.x, self.labels, self.balanced = x, labels, balanced
        self.mean, self.deviation = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True).sqrt()
        network = classifier.Classifier(classes=2).to(memory_format=torch.channels_last)
        for name, parameter in network.named_parameters():
            # Norms begin as the identity, and each block does, because its second convolution begins at 0.
            if name.endswith("bias") or re.fullmatch(r"blocks\.\d\.1\.2\.weight", name):
                torch.nn.init.zeros_(parameter)
        average = [p.detach().clone() for p in network.parameters()]
        optimizer = torch.optim.AdamW(network.parameters(), 4e-3, weight_decay=0.02)
        drawn, lowest, best = self.order(steps), numpy.inf, average
        for step in range(steps):
            warm_up, fall = min(1, (step + 1) / 20), (1 + numpy.cos(numpy.pi * step / steps)) / 2
            optimizer.param_groups[0]["lr"] = 4e-3 * warm_up * (0.01 + 0.99 * fall)
            batch = x[drawn[step]]
            loss = functional.cross_entropy(
                network(self.input(changed(batch, self.random) if augments else batch)), labels[drawn[step]]
            )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            kept = min(0.99, (step + 1) / (step + 10))
            with torch.no_grad():
                for slow, parameter in zip(average, network.parameters()):
                    slow.lerp_(parameter, 1 - kept)
            if (step + 1) * CHECKS // steps > step * CHECKS // steps:
                found = self.probabilities(network, average, validation[0])
                losses = -numpy.log(found[numpy.arange(len(found)), validation[1]])
                classes = [losses[validation[1] == number] for number in range(2)]
                loss = numpy.mean([part.mean() for part in classes]) if balanced else losses.mean()
                # Fewer than ten of a class do not choose.
                if loss < lowest or min(map(len, classes)) < 10:
                    lowest, best = loss, [slow.clone() for slow in average]
        self.network, self.best = network, best

    def order(self, steps):
        """[steps, BATCH]: the rows that each step takes."""
        if self.balanced:
            rows = [numpy.flatnonzero(self.labels.numpy() == number) for number in range(2)]
            return [[self.random.choice(rows[self.random.integers(2)]) for _ in range(BATCH)] for _ in range(steps)]
        epochs = -(-steps * BATCH // len(self.x))
        return numpy.concatenate([self.random.permutation(len(self.x)) for _ in range(epochs)])[
            : steps * BATCH
        ].reshape(steps, BATCH)

    def input(self, x):
        both = torch.cat([(x - self.mean) / self.deviation, contrast(x)], 1)
        return both.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def probabilities(self, network, weights, x):
        names = [name for name, _ in network.named_parameters()]
        logits = torch.func.functional_call(network, dict(zip(names, weights)), self.input(x))
        return logits.double().softmax(1).numpy()

    def scores(self, x):
        return self.probabilities(self.network, self.best, x)[:, 1].tolist()


def areas(scores, cases, weights):
    """[resamples, trainings]: weighted shares of pairs in which the case is higher, ties counted half."""
    scores = numpy.array(scores)
    higher = numpy.sign(scores[:, cases, None] - scores[:, None, ~cases]) / 2 + 0.5
    case, control = weights[:, cases], weights[:, ~cases]
    with numpy.errstate(invalid="ignore"):
        return numpy.einsum("ri,sij,rj->rs", case, higher, control) / (case.sum(1) * control.sum(1))[:, None]


class Resamples:
    """The same patients for all arms. The last row is everybody once, which is the value itself."""

    def __init__(self, patients, cases):
        random, numbers = numpy.random.default_rng(0), numpy.unique(patients, return_inverse=True)[1]
        self.patients = numbers.max() + 1
        times = random.multinomial(self.patients, numpy.full(self.patients, 1 / self.patients), RESAMPLES)
        self.weights = numpy.concatenate([times[:, numbers], numpy.ones((1, len(numbers)))]).astype(float)
        self.cases = cases.astype(bool)

    def areas(self, scores):
        """[resamples + 1, trainings]"""
        return areas(scores, self.cases, self.weights)

    def interval(self, drawn):
        """Low, value, high: Student's interval for the sum of two variances, with Satterthwaite's freedom."""
        value, trainings = drawn[-1].mean(), drawn.shape[1]
        parts = numpy.array([numpy.nanvar(drawn[:-1].mean(1), ddof=1), drawn[-1].var(ddof=1) / trainings])
        freedom = parts.sum() ** 2 / (parts**2 / [self.patients - 1, trainings - 1]).sum()
        half = stats.t.ppf(0.975, freedom) * parts.sum() ** 0.5
        return value - half, value, value + half


def text(found):
    return f"{found[1]:.3f} ({found[0]:.3f} to {found[2]:.3f})"


def trained(options):
    """The holdout's patients and cases, and [trainings][rows] scores of each arm."""
    positive = options.positive.split(",")
    with h5py.File(options.dataset) as file, h5py.File(options.samples) as other:
        rows, labels = labelled(file, options.task, positive)
        x, split = pictures(file, rows, options.size), file["split"][:][rows]
        drawn, asked = labelled(other, options.task, positive)
        synthetic, patients = pictures(other, drawn, options.size), file["patient"][:][rows][split == HOLDOUT]
    validation = x[split == VALIDATION], labels[split == VALIDATION]
    found = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    for arm in options.arms.split(","):
        match = re.fullmatch(r"real|augmented|resampled|added-(\d+)(-resampled)?", arm)
        if match is None:
            sys.exit(f"--arms: {arm} is not known here")
        for seed in range(len(found.get(arm, [])) + 1, options.seeds + 1):
            started = time.monotonic()
            count = int(match[1] or 0)
            some = numpy.random.default_rng([seed, 1]).permutation(len(asked))[:count]
            training = Training(
                torch.cat([x[split == TRAIN], synthetic[some]]),
                torch.from_numpy(numpy.concatenate([labels[split == TRAIN], asked[some]])),
                validation, options.steps, arm != "real", arm.endswith("resampled"), seed,
            )  # fmt: skip
            found.setdefault(arm, []).append(training.scores(x[split == HOLDOUT]))
            if options.out:
                options.out.write_text(json.dumps(found))
            print(f"{arm}, training {seed}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return patients, labels[split == HOLDOUT], {arm: found[arm] for arm in options.arms.split(",")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("samples")
    parser.add_argument("--task", default="dr_icdr")
    parser.add_argument("--positive", default="2,3,4")
    parser.add_argument("--arms", default="resampled,added-150-resampled")
    parser.add_argument("--evaluation", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    for name, value in [("seeds", 5), ("steps", 600), ("size", 64), ("threads", 2)]:
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    patients, cases, found = trained(options)
    resamples, agree, fovea = Resamples(patients, cases), True, {}
    own, interval = {arm: resamples.areas(scores) for arm, scores in found.items()}, resamples.interval
    print(f"{len(cases)} photographs of {resamples.patients} patients, {cases.sum()} cases")
    for arm, scores in found.items():
        print(f"{arm}: PyTorch {text(interval(own[arm]))}, trainings {own[arm][-1].round(3).tolist()}")
        if options.evaluation is None:
            continue
        files = [options.evaluation / "private" / f"{arm}-{seed}.json" for seed in range(options.seeds)]
        theirs = [[row[1] for row in json.loads(file.read_text())["tests"][0]] for file in files]
        fovea[arm] = resamples.areas(theirs)
        apart = interval(own[arm] - fovea[arm])
        agree = agree and apart[0] <= 0 <= apart[2]
        alike = numpy.corrcoef(numpy.mean(scores, 0), numpy.mean(theirs, 0))[0, 1]
        print(f"  Fovea {text(interval(fovea[arm]))}, trainings {fovea[arm][-1].round(3).tolist()}")
        print(f"  PyTorch less Fovea {text(apart)}; correlation of the mean probabilities {alike:.3f}")
    first = next(iter(own))
    for arm in [arm for arm in own if arm != first]:
        print(f"{arm} less {first}: PyTorch {text(interval(own[arm] - own[first]))}")
        if fovea:
            apart = interval((own[arm] - own[first]) - (fovea[arm] - fovea[first]))
            agree = agree and apart[0] <= 0 <= apart[2]
            print(f"  Fovea {text(interval(fovea[arm] - fovea[first]))}; PyTorch less Fovea {text(apart)}")
    if fovea:
        print("PyTorch and Fovea agree" if agree else "PyTorch and Fovea do not agree")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
