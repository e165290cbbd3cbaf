"""How far two sets of pictures are apart, from their features: the kernel distance and a classifier's AUC.

The kernel distance (KD) is the unbiased estimate of the squared maximum mean discrepancy with the kernel (x . y / d
+ 1)^3, d the number of features (M. Binkowski et al., "Demystifying MMD GANs", ICLR 2018, eq. 4): 0 in expectation,
and as often below 0 as above it, where both sets come from one distribution. It does not depend on how many
pictures there are.
"""

import numpy as np


def kernel(a, b):
    """Float [len(a), len(b)]."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def weighted_discrepancy(aa, bb, ab, wa, wb):
    """Unbiased MMD^2 where picture i of the first set counts wa[i] times. A pair of a picture with itself never
    counts."""

    def within(matrix, w):
        own = np.diag(matrix)
        return (w @ matrix @ w - own @ w**2) / (w.sum() ** 2 - (w**2).sum())

    return within(aa, wa) + within(bb, wb) - 2 * (wa @ ab @ wb) / (wa.sum() * wb.sum())


def kernel_distance(a, b):
    """The unbiased KD of features [N, d] and [M, d]."""
    return float(weighted_discrepancy(kernel(a, a), kernel(b, b), kernel(a, b), np.ones(len(a)), np.ones(len(b))))


def kernel_interval(a, b, draws=1000, share=0.95, seed=0):
    """(low, high): percentiles of KD over bootstrap draws of pictures with replacement from both sets.

    Copies of one picture that a draw holds are not compared with each other: they would make a set more like itself.
    """
    random = np.random.default_rng(seed)
    aa, bb, ab = kernel(a, a), kernel(b, b), kernel(a, b)
    values = []
    for _ in range(draws):
        wa = np.bincount(random.integers(len(a), size=len(a)), minlength=len(a)).astype(float)
        wb = np.bincount(random.integers(len(b), size=len(b)), minlength=len(b)).astype(float)
        values.append(weighted_discrepancy(aa, bb, ab, wa, wb))
    return tuple(float(value) for value in np.quantile(values, [(1 - share) / 2, (1 + share) / 2]))


def classifier_auc(a, b, folds=5, repeats=3, strength=0.01, seed=0):
    """AUC of a logistic regression that tells the sets apart: the mean over `repeats` shuffles of `folds`-fold
    cross-validation. Features are standardised by each fold's training part; `strength` is scikit-learn's C (an L2
    penalty). 0.5: the sets cannot be told apart; 1: always."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = min(folds, len(a), len(b))
    x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    found = []
    for repeat in range(repeats):
        for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed + repeat).split(x, y):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000)).fit(
                x[train], y[train]
            )
            found.append(roc_auc_score(y[test], model.decision_function(x[test])))
    return float(np.mean(found))
