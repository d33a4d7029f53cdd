"""Callbacks for any LightningModule: when, how often, on what budget; the mathematics is in the layers below."""

from robustlit.callbacks.adversarial_evaluation import AdversarialEvaluation
from robustlit.callbacks.adversarial_training import AdversarialTraining
from robustlit.callbacks.augmentation import Augmentation
from robustlit.callbacks.checkpoint import BestCheckpoint, LastCheckpoint
from robustlit.callbacks.confusion import ConfusionPanel
from robustlit.callbacks.corruption_evaluation import CorruptionEvaluation
from robustlit.callbacks.early_stopping import EarlyStopping
from robustlit.callbacks.embeddings import Embeddings
from robustlit.callbacks.explanation_panels import ExplanationPanels
from robustlit.callbacks.metrics_csv import MetricsCSV
from robustlit.callbacks.sample_images import PredictionPanels
from robustlit.callbacks.scalar_layout import ScalarLayout
from robustlit.callbacks.step_seed import StepSeed
from robustlit.callbacks.stopwatch import Stopwatch
from robustlit.callbacks.throughput import Throughput
from robustlit.callbacks.training_images import TrainingImages

__all__ = [
    "AdversarialEvaluation",
    "AdversarialTraining",
    "Augmentation",
    "BestCheckpoint",
    "ConfusionPanel",
    "CorruptionEvaluation",
    "EarlyStopping",
    "Embeddings",
    "ExplanationPanels",
    "LastCheckpoint",
    "MetricsCSV",
    "PredictionPanels",
    "ScalarLayout",
    "StepSeed",
    "Stopwatch",
    "Throughput",
    "TrainingImages",
]
