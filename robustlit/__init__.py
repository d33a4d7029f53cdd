"""robustlit: robustness inside the training run, for vision models trained with PyTorch Lightning.

Layers, top to bottom; imports go down only: cli, reports, callbacks, evaluation, modules / data / panels, metrics,
attacks / explanations, corruptions / augmentations / models, core.
"""

__version__ = "0.1.0"
