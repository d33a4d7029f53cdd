"""Points for TensorBoard's projector."""

import csv

import torch
from callbacks_helpers import fit
from explanation_helpers import data, delicate, trained
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from robustlit.callbacks import Embeddings

OPTIONS = {"count": 3, "corruptions": ("fog", "contrast"), "images": None, "max_share": None}


def rows(folder):
    with (folder / "metadata.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_points_are_features_with_what_the_model_says(tmp_path):
    _, module = trained(tmp_path, [Embeddings(every_n_epochs=1, **OPTIONS)], epochs=1)
    folder = tmp_path / "00002/explain%2ffeatures"
    found = rows(folder)
    assert list(found[0]) == ["label", "prediction", "confidence", "corruption", "set"]
    probe = [row for row in found if row["set"] == "probe"]
    assert [row["corruption"] for row in probe] == ["clean"] * 3 + ["fog"] * 3 + ["contrast"] * 3
    assert {row["set"] for row in found} <= {"probe", "failure", "flip"}
    assert all(row["label"] != row["prediction"] for row in found if row["set"] in ("failure", "flip"))
    with (folder / "tensors.tsv").open() as file:
        points = torch.tensor([[float(value) for value in line.split("\t")] for line in file])
    assert points.shape == (len(found), 5)  # the channels of the last layer with a map
    place = next(i for i, row in enumerate(found) if row["set"] == "failure")
    with torch.no_grad():
        features = module.eval().net[:6](torch.cat([batch[0] for batch in data(12)])).mean((2, 3))
    assert (features - points[place]).abs().amax(1).min() < 1e-4


def test_the_projector_finds_one_embedding_for_every_time(tmp_path):
    trained(tmp_path, [Embeddings(every_n_epochs=2, **OPTIONS)], epochs=4)
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert [each.tensor_name for each in config.embeddings] == ["explain/features:00005", "explain/features:00011"]
    assert all((tmp_path / each.sprite.image_path).is_file() for each in config.embeddings)


def test_without_tensorboard_there_is_nothing_to_write(tmp_path):
    trainer, _ = fit(
        tmp_path, [Embeddings(every_n_epochs=1, **OPTIONS)], module=delicate(), data=data(), validation=data(), epochs=1
    )
    assert trainer.callback_metrics["cost/embeddings_seconds"] > 0
    assert not list(tmp_path.rglob("metadata.tsv"))
