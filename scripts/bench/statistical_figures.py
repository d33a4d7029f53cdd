"""How far the statistical tests' figures are from scikit-learn's, torchmetrics' and SciPy's, on drawn scores.

Needs scikit-learn and SciPy beside robustlit: python scripts/bench/statistical_figures.py
"""

import numpy as np
import sklearn.metrics
import torch
from scipy.optimize import minimize_scalar
from torch.nn import functional as F
from torchmetrics import functional as T

from robustlit.metrics import ranking, reliability
from robustlit.metrics.proper_scores import judge
from robustlit.metrics.temperature import fit_temperature

DRAWS = 20


def binary(generator: torch.Generator, ties: bool) -> list[tuple[str, float, float]]:
    """Figures of scores and a truth that depends on them."""
    n = int(torch.randint(50, 3000, (), generator=generator))
    scores = torch.randn(n, generator=generator, dtype=torch.float64)
    scores = (scores * 3).round() / 3 if ties else scores
    true = torch.rand(n, generator=generator) < scores.sigmoid() * 0.4
    probabilities, labels = scores.sigmoid(), true.long()
    false_rate, true_rate, _ = sklearn.metrics.roc_curve(labels, scores, drop_intermediate=False)
    threshold = ranking.threshold_at_specificity(probabilities, true, 0.9)
    sensitivity, _ = T.classification.binary_sensitivity_at_specificity(probabilities, labels, min_specificity=0.9)
    area, precision = ranking.area_under_roc(scores, true), ranking.average_precision(scores, true)
    return [
        ("AUROC, scikit-learn", area, sklearn.metrics.roc_auc_score(labels, scores)),
        ("AUROC, torchmetrics", area, float(T.auroc(probabilities, labels, task="binary"))),
        ("AUPR, scikit-learn", precision, sklearn.metrics.average_precision_score(labels, scores)),
        ("AUPR, torchmetrics", precision, float(T.average_precision(probabilities, labels, task="binary"))),
        ("FPR95, scikit-learn", ranking.fpr_at_tpr(scores, true), float(false_rate[true_rate >= 0.95].min())),
        (
            "sensitivity at specificity 0.9, torchmetrics",
            float((probabilities[true] >= threshold).double().mean()),
            float(sensitivity),
        ),
    ]


def several(generator: torch.Generator) -> list[tuple[str, float, float]]:
    """Figures of logits and classes that depend on them."""
    n = int(torch.randint(50, 3000, (), generator=generator))
    logits = 3 * torch.randn(n, 7, generator=generator)
    targets = torch.multinomial((logits / 2).softmax(1), 1, generator=generator)[:, 0]
    probabilities, judged = logits.softmax(1), judge(logits, targets)
    own = reliability.expected_calibration_error(judged.confidence, judged.hits)
    exact = probabilities.double().numpy()
    exact /= exact.sum(1, keepdims=True)
    brier = sklearn.metrics.brier_score_loss(targets, exact, labels=list(range(7)), scale_by_half=False)
    double = logits.double()
    found = minimize_scalar(
        lambda log: F.cross_entropy(double / np.exp(log), targets).item(),
        bounds=(-4, 4),
        method="bounded",
        options={"xatol": 1e-10},
    )
    scaled = F.cross_entropy(double / fit_temperature(logits, targets), targets).item()
    return [
        (
            "ECE, torchmetrics",
            own,
            float(T.calibration_error(probabilities, targets, task="multiclass", num_classes=7, n_bins=15)),
        ),
        ("Brier score, scikit-learn", float(judged.brier.double().mean()), float(brier)),
        ("NLL, scikit-learn", float(judged.nll.double().mean()), float(sklearn.metrics.log_loss(targets, exact))),
        ("NLL at the fitted temperature, SciPy's minimum", scaled, float(found.fun)),
    ]


if __name__ == "__main__":
    worst: dict[str, float] = {}
    for seed in range(DRAWS):
        generator = torch.Generator().manual_seed(seed)
        for name, own, other in [*binary(generator, ties=seed % 2 == 1), *several(generator)]:
            worst[name] = max(worst.get(name, 0.0), abs(own - other))
    print(f"largest difference over {DRAWS} draws of 50 to 3,000 samples, every other one with ties")
    for name, difference in worst.items():
        print(f"{name:48s} {difference:.1e}")
