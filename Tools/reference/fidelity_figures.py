"""Figures of fidelity by reference packages, on small random features: frd-score, scikit-learn and vendi-score.

    fidelity_figures.py > Tests/EvaluationTests/Fixtures/fidelity.json

Needs numpy, scipy, scikit-learn, frd-score (with SimpleITK and opencv-python-headless, which it imports) and
vendi-score.
"""

import json
import sys
from importlib.metadata import version

import numpy as np
from frd_score.frd import calculate_frechet_distance, z_score_normalize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from vendi_score import vendi

random = np.random.default_rng(33)


def features(count, width, shift=0.0, scale=1.0):
    mixing = np.random.default_rng(7).normal(size=(width, width))
    return np.round(random.normal(shift, scale, size=(count, width)) @ mixing, 4)


def radiomic_distance(photographs, samples):
    """The steps of compute_frd in version v1, which takes files alone: scores by the first set, without features that
    are no numbers then, and the logarithm of the squared distance."""
    rows = [
        z_score_normalize(rows, base_distribution=photographs, replace_nan=False, handle_std_zero=False)
        for rows in (photographs, samples)
    ]
    kept = np.isfinite(rows[0]).all(0) & np.isfinite(rows[1]).all(0)
    moments = [moment for set in rows for moment in (set[:, kept].mean(0), np.cov(set[:, kept], rowvar=False))]
    return {
        "photographs": photographs.tolist(),
        "samples": samples.tolist(),
        "distance": float(np.log(calculate_frechet_distance(*moments))),
    }


def with_constant(rows, value):
    """One feature more that is the same in all rows."""
    return np.hstack([rows, np.full((len(rows), 1), value)])


def regression(count, width, shift, strength, folds):
    rows = np.vstack([features(count, width), features(count, width, shift)])
    truth = np.repeat([0, 1], count)
    fold = np.arange(2 * count) % folds
    scores = np.zeros(2 * count)
    for part in range(folds):
        train, test = fold != part, fold == part
        scaler = StandardScaler().fit(rows[train])
        model = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000)
        model.fit(scaler.transform(rows[train]), truth[train])
        scores[test] = model.decision_function(scaler.transform(rows[test]))
    pairs = [(fold == part).sum() ** 2 / 4 for part in range(folds)]
    areas = [roc_auc_score(truth[fold == part], scores[fold == part]) for part in range(folds)]
    return {
        "rows": rows.tolist(),
        "isSynthetic": truth.astype(bool).tolist(),
        "fold": fold.tolist(),
        "strength": strength,
        "scores": scores.tolist(),
        "area": float(np.average(areas, weights=pairs)),
    }


def variety(rows):
    return {"rows": rows.tolist(), "score": float(vendi.score_X(rows, normalize=True))}


packages = "numpy", "scipy", "scikit-learn", "frd-score", "vendi-score"
json.dump(
    {
        "made": ", ".join(f"{name} {version(name)}" for name in packages) + f", Python {sys.version.split()[0]}",
        "radiomicDistances": [
            radiomic_distance(features(30, 4), features(26, 4, 0.2, 1.1)),
            radiomic_distance(with_constant(features(24, 3), 5), with_constant(features(24, 3, 3), 6)),
        ],
        "regressions": [regression(24, 3, 0.4, 1.0, 4), regression(20, 60, 0.2, 0.01, 5)],
        "varieties": [variety(features(18, 5)), variety(features(7, 20, 1.0))],
    },
    sys.stdout,
    indent=1,
)
print()
