"""The figures of an evaluation by reference packages, on small random inputs: prdc, scikit-learn and scipy.

    evaluation_figures.py > Tests/EvaluationTests/Fixtures/figures.json

Needs numpy, scipy, scikit-learn and prdc.
"""

import contextlib
import json
import sys

import numpy as np
import scipy
import sklearn
from prdc import compute_prdc
from scipy.linalg import sqrtm
from scipy.stats import false_discovery_control
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, cohen_kappa_score, roc_auc_score, roc_curve
from sklearn.metrics.pairwise import polynomial_kernel

random = np.random.default_rng(20)


def kernel_distance(a, b):
    """The estimator without bias; scikit-learn's polynomial kernel has gamma 1 / width."""
    aa, bb, ab = (polynomial_kernel(x, y, degree=3, coef0=1) for x, y in ((a, a), (b, b), (a, b)))
    n, m = len(a), len(b)
    return (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1)) - 2 * ab.mean()


def frechet_distance(a, b):
    one, other = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    difference = a.mean(0) - b.mean(0)
    return difference @ difference + np.trace(one + other - 2 * np.real(sqrtm(one @ other)))


def features(count, width, shift, scale):
    mixing = np.random.default_rng(7).normal(size=(width, width))
    return np.round(random.normal(shift, scale, size=(count, width)) @ mixing, 4)


def distances(photographs, samples, k):
    with contextlib.redirect_stdout(sys.stderr):
        figures = compute_prdc(photographs, samples, nearest_k=k)
    return {
        "photographs": photographs.tolist(),
        "samples": samples.tolist(),
        "neighbours": k,
        "kernel": kernel_distance(photographs, samples),
        "frechet": frechet_distance(photographs, samples),
        **{name: float(value) for name, value in figures.items()},
    }


def classifier(count, noise):
    truth = random.integers(0, 2, count)
    logit = truth * 2 - 1 + noise * random.normal(size=count)
    probability = np.clip(np.round(1 / (1 + np.exp(-logit)), 4), 1e-4, 1 - 1e-4)
    false, true, _ = roc_curve(truth, probability)
    logits = np.log(probability / (1 - probability))[:, None]
    fit = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(logits, truth)
    order = np.argsort(probability, kind="stable")
    edges = [bin * count // 10 for bin in range(11)]
    bins = [order[a:b] for a, b in zip(edges, edges[1:])]
    error = sum(abs(probability[b].mean() - truth[b].mean()) * len(b) for b in bins) / count
    if count % 10 == 0 and len(set(probability)) == count:
        share, mean = calibration_curve(truth, probability, n_bins=10, strategy="quantile")
        assert abs(np.abs(share - mean).mean() - error) < 1e-9, "scikit-learn's bins are the same"
    return {
        "probabilities": probability.tolist(),
        "outcomes": truth.astype(bool).tolist(),
        "area": roc_auc_score(truth, probability),
        "sensitivity90": float(true[false <= 0.1 + 1e-12].max()),
        "brier": brier_score_loss(truth, probability),
        "expectedError": float(error),
        "slope": float(fit.coef_[0, 0]),
        "intercept": float(fit.intercept_[0]),
    }


def grades(count, levels, spread):
    truth = random.integers(0, levels, count)
    found = np.clip(np.round(truth + spread * random.normal(size=count)), 0, levels - 1).astype(int)
    kappa = cohen_kappa_score(truth, found, weights="quadratic")
    return {"truth": truth.tolist(), "found": found.tolist(), "kappa": float(kappa)}


probabilities = np.round(random.uniform(size=12) ** 3, 5)
json.dump(
    {
        "made": f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, prdc 0.2, "
        f"Python {sys.version.split()[0]}",
        "distances": [
            distances(features(30, 4, 0, 1), features(25, 4, 0.3, 1.2), 5),
            distances(features(24, 6, 0, 1), features(40, 6, 0, 0.3), 3),
            distances(features(20, 3, 0, 1), features(20, 3, 4, 1), 5),
        ],
        "classifiers": [classifier(60, 1.5), classifier(37, 3.0)],
        "grades": [grades(50, 5, 0.8), grades(31, 3, 1.5)],
        "discoveries": {
            "probabilities": probabilities.tolist(),
            "adjusted": false_discovery_control(probabilities).tolist(),
        },
    },
    sys.stdout,
    indent=1,
)
print()
