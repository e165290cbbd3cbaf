"""Fits the classifier of pixels of Sources/Anatomy to phantoms, and writes its numbers as Swift.

    FOVEA_PIXEL_FEATURES=FOLDER swift test -c release --filter PixelTrainingData
    python3 Tools/reference/pixel_classifier.py FOLDER > 'Sources/Anatomy/PixelClassifier+Weights.swift'

FOLDER holds rows.f32 [pictures, PIXELS, FEATURES], pictures.f32 [pictures, PICTURE_FEATURES] and labels.u8
[pictures, PIXELS] (0 none, 1 vessel, 2 bright lesion, 3 dark lesion). The network has one hidden layer of rectified
units and a softmax. Adam minimises the cross entropy, plus a term for the share of each kind in each picture, because
the density of vessels is measured by the mean. Needs numpy.

The committed numbers were made by this method from the same phantoms with other random draws, so that a new fit gives
other numbers, and errors that are about the same.
"""

import pathlib
import sys

import numpy as np

PIXELS, FEATURES, PICTURE_FEATURES, KINDS = 1500, 16, 26, 4
HIDDEN, EPOCHS, BATCH, SHARES, HELD_OUT = 48, 40, 2, 30.0, 100


def load(folder):
    rows = np.fromfile(folder / "rows.f32", np.float32).reshape(-1, PIXELS, FEATURES)
    pictures = np.fromfile(folder / "pictures.f32", np.float32).reshape(len(rows), PICTURE_FEATURES)
    labels = np.fromfile(folder / "labels.u8", np.uint8).reshape(len(rows), PIXELS)
    mean = np.concatenate([rows.mean((0, 1)), pictures.mean(0)])
    deviation = np.concatenate([rows.std((0, 1)), pictures.std(0)]) + 1e-6
    rows = np.clip((rows - mean[:FEATURES]) / deviation[:FEATURES], -4, 4)
    pictures = np.clip((pictures - mean[FEATURES:]) / deviation[FEATURES:], -2.5, 2.5)
    return rows, pictures, labels, mean, deviation


def forward(weights, rows, pictures):
    sums = rows @ weights[0] + (pictures @ weights[1] + weights[2])[:, None]
    units = np.maximum(sums, 0)
    logits = units @ weights[3] + weights[4]
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return sums, units, powers / powers.sum(-1, keepdims=True)


def gradients(weights, rows, pictures, truth):
    count = truth.shape[0] * truth.shape[1]
    sums, units, share = forward(weights, rows, pictures)
    back = (share - truth) / count
    # SHARES times the squared difference of each kind's mean, whose gradient goes through the softmax.
    off = share.mean(1) - truth.mean(1)
    off[:, 0] = 0
    off = (2 * SHARES / count * off)[:, None]
    back = back + share * (off - (share * off).sum(-1, keepdims=True))
    hidden = (back @ weights[3].T) * (sums > 0)
    return [
        rows.reshape(-1, FEATURES).T @ hidden.reshape(-1, HIDDEN),
        pictures.T @ hidden.sum(1) + 2e-5 * weights[1],
        hidden.sum((0, 1)),
        units.reshape(-1, HIDDEN).T @ back.reshape(-1, KINDS),
        back.sum((0, 1)),
    ]


def fit(rows, pictures, labels):
    random = np.random.default_rng(0)
    one_hot = np.eye(KINDS, dtype=np.float32)
    weights = [
        random.normal(0, 0.3, (FEATURES, HIDDEN)),
        random.normal(0, 0.1, (PICTURE_FEATURES, HIDDEN)),
        np.zeros(HIDDEN),
        random.normal(0, 0.3, (HIDDEN, KINDS)),
        np.array([1.0, 0, -2, -2]),
    ]
    weights = [part.astype(np.float32) for part in weights]
    first, second = ([np.zeros_like(part) for part in weights] for _ in range(2))
    count, step = len(rows) - HELD_OUT, 0
    total = EPOCHS * (count // BATCH)
    for epoch in range(EPOCHS):
        order = random.permutation(count)
        for start in range(0, count - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            found = gradients(weights, rows[chosen], pictures[chosen], one_hot[labels[chosen]])
            step += 1
            rate = 5e-3 * min(1, step / 200) * (0.5 * (1 + np.cos(np.pi * step / total)) + 0.003)
            for k, gradient in enumerate(found):
                first[k] = 0.9 * first[k] + 0.1 * gradient
                second[k] = 0.999 * second[k] + 0.001 * gradient**2
                scale = np.sqrt(second[k] / (1 - 0.999**step)) + 1e-9
                weights[k] = weights[k] - rate * first[k] / (1 - 0.9**step) / scale
        share = forward(weights, rows[count:], pictures[count:])[2]
        own = np.take_along_axis(share, labels[count:, :, None].astype(int), 2)
        print(f"epoch {epoch}: {-np.log(own + 1e-9).mean():.4f} on pictures held out", file=sys.stderr, flush=True)
    return weights


def swift(values):
    lines, line = [], "       "
    for value in (f"{value:.4g}," for value in values):
        if len(line) + 1 + len(value) > 118:
            lines.append(line)
            line = "       "
        line += " " + value
    return "\n".join([*lines, line])


def main():
    rows, pictures, labels, mean, deviation = load(pathlib.Path(sys.argv[1]))
    weights = fit(rows, pictures, labels)
    ordered = [mean, 1 / deviation, *(part.ravel() for part in weights)]
    print(
        f"""extension PixelClassifier {{
    /// The number of hidden units.
    static let hidden = {HIDDEN}

    /// Made by Tools/reference/pixel_classifier.py, from phantoms alone: the features' means and inverse deviations,
    /// weights [features, hidden], biases [hidden], weights [hidden, kinds] and biases [kinds].
    static let numbers: [Float] = [
{swift(np.concatenate(ordered))}
    ]
}}"""
    )


if __name__ == "__main__":
    main()
