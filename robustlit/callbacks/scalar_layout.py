"""Curves that belong together, on one page of TensorBoard."""

import pytorch_lightning as pl

from robustlit.callbacks.pictures import boards

__all__ = ["LAYOUT", "ScalarLayout"]

Layout = dict[str, dict[str, list[str | list[str]]]]

# category -> chart -> ["Multiline", regular expressions over the keys]
LAYOUT: Layout = {
    "robustness": {
        "clean and robust": [
            "Multiline",
            [r"^val/(accuracy|auroc|iou)$", r"^robust/corruption/(extra_)?mean$", r"^robust/adversarial/.+"],
        ],
        "each corruption": [
            "Multiline",
            [r"^robust/corruption/(?!(clean|(extra_)?mean|extra_calibration_error)$)[^/]+$"],
        ],
        "each attack": ["Multiline", [r"^robust/adversarial/.+"]],
        "gap: clean minus robust": ["Multiline", [r"^robust/gap/.+"]],
    },
    "alarms": {
        "catastrophic overfitting": [
            "Multiline",
            [r"^alarm/(fgsm_pgd_gap|pgd_left_of_(fgsm|best)|pgd_drop|gradient_alignment)$"],
        ],
        "robust overfitting": ["Multiline", [r"^alarm/train_val_gap$"]],
        "gradient masking": ["Multiline", [r"^alarm/(zero_gradients|black_box_gain|large_eps_score|loss_growth)$"]],
        "which fire (1)": ["Multiline", [r"^alarm/.+_fired$"]],
    },
    "explanations": {
        "drift: clean against corrupted maps (1 is the same look)": ["Multiline", [r"^explain/drift_cosine(/.+)?$"]],
        "share on the object": ["Multiline", [r"^explain/inside_mask/.+"]],
        "concentration": ["Multiline", [r"^explain/concentration/.+"]],
        "insertion (high is good) and deletion (low)": ["Multiline", [r"^explain/(insertion|deletion)$"]],
    },
    "training": {
        "loss": ["Multiline", [r"^train/loss(_epoch)?$", r"^val/loss$"]],
        "clean score": ["Multiline", [r"^val/(accuracy|auroc|iou)$"]],
        "calibration error": ["Multiline", [r"^val/calibration_error$"]],
        "IoU of each class": ["Multiline", [r"^val/iou/.+"]],
        "learning rate": ["Multiline", [r"^lr-.+"]],
    },
    "cost": {
        "seconds of each callback": ["Multiline", [r"^cost/.+_seconds$"]],
        "share of the run's time": ["Multiline", [r"^cost/.+_share$"]],
        "images a second": ["Multiline", [r"^cost/images_per_second$"]],
    },
}


class ScalarLayout(pl.Callback):
    """Writes TensorBoard's custom-scalars page once, when training starts.

    Training and validation loss, clean and robust scores, every corruption, every attack, what each alarm looks at,
    what the explanations found and the cost of the callbacks each share a chart. The charts select keys by regular
    expression, so those of callbacks that are not in use stay empty. It logs no keys; without a TensorBoardLogger it
    does nothing.

    Args:
        layout: Category → chart → ``["Multiline", [regular expressions]]``; default :data:`LAYOUT`.
    """

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = LAYOUT if layout is None else layout

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the page."""
        if trainer.is_global_zero:
            for logger in boards(trainer):
                logger.experiment.add_custom_scalars(self.layout)
