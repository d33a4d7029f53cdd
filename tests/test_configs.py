"""Every YAML under conf/ composes, and what it names can be built."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from robustlit.cli.config import config_dir
from robustlit.models import small_cnn, unet

LISTS = {"logger", "callbacks", "augmentation", "evaluation", "sweep"}
PLUGINS = {
    "slurm": "hydra_submitit_launcher",
    "submitit_local": "hydra_submitit_launcher",
    "joblib": "hydra_joblib_launcher",
}
PLUGINS |= {"optuna": "hydra_optuna_sweeper", "ray": "hydra_ray_launcher"}
FILLED = {"in_channels": 3, "num_classes": 4, "class_names": ["a", "b", "c", "d"], "monitor": "val/loss"}


def options() -> Iterator[tuple[str, str]]:
    for path in sorted(config_dir().glob("*/*.yaml")):
        yield path.parent.name, path.stem


def composed(*overrides: str, name: str = "train") -> DictConfig:
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = compose(name, overrides=list(overrides), return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        OmegaConf.set_struct(cfg, False)
        del cfg["hydra"]
        if "run" not in cfg:
            OmegaConf.resolve(cfg)
    return cfg


def filled(node: DictConfig, tmp_path: Path) -> DictConfig:
    """What the command line does: nulls get a value. Paths exist, and no GPU is asked for."""
    values: dict[str, object] = dict.fromkeys(("path", "save_dir", "data"), str(tmp_path))
    if "batch_size" in node:  # a data set
        values |= {"num_classes": 4}
        if OmegaConf.select(node, "class_names"):
            values["num_classes"] = len(node.class_names)
    else:
        values |= FILLED
    for key, value in values.items():
        if OmegaConf.is_missing(node, key) or (key in node and node[key] is None):
            node[key] = value
    return node


@pytest.mark.parametrize(("group", "option"), list(options()))
def test_every_option_composes_and_builds(group, option, tmp_path):
    chosen = f"{group}=[{option}]" if group in LISTS else f"{group}={option}"
    if group == "sweep":
        pytest.importorskip(f"hydra_plugins.{PLUGINS[option]}", reason="install the extras sweep and ray")
    cfg = composed(chosen)
    if group == "experiment":
        assert cfg.run_name == option
        assert cfg.names.experiment == option
    elif group == "size":
        assert cfg.names.size == option
    elif group == "sweep":
        target = str(HydraConfig.get()["sweeper" if option == "optuna" else "launcher"]._target_)
        assert target.startswith(f"hydra_plugins.{PLUGINS[option]}.")
    elif group == "trainer":
        assert cfg.trainer.use_distributed_sampler is False
        cfg.trainer.update(accelerator="cpu", devices=1, strategy="auto", precision="32-true", logger=False)
        instantiate(cfg.trainer, default_root_dir=str(tmp_path), _convert_="all")
    elif group == "task":
        network = unet(num_classes=4, width=4, depth=2) if "segmentation" in option else small_cnn(num_classes=4)
        assert instantiate(filled(cfg.task, tmp_path), network, _convert_="all").headline.startswith("val/")
    elif group == "method":
        callback = cfg.callbacks.get("adversarial_training")
        assert callback is None if option == "none" else instantiate(callback, _convert_="all") is not None
    elif group == "attack":
        assert option == "none" or instantiate(cfg.attack, _convert_="all") is not None
    elif OmegaConf.is_missing(cfg[group], "_target_"):
        assert option == "own"  # what it builds is the user's
    elif option == "timm" and find_spec("timm") is None:
        with pytest.raises(Exception, match="robustlit\\[timm\\]"):
            instantiate(filled(cfg[group], tmp_path), _convert_="all")
    elif group in ("data", "model"):
        assert instantiate(filled(cfg[group], tmp_path), _convert_="all") is not None
    else:
        for node in cfg[group].values():
            assert instantiate(filled(node, tmp_path), _convert_="all") is not None


@pytest.mark.parametrize("option", [option for group, option in options() if group == "experiment"])
def test_every_experiment_fits_together(option, tmp_path):
    cfg = composed(f"experiment={option}")
    for section in ("data", "model"):
        instantiate(filled(cfg[section], tmp_path), _convert_="all")
    masks = cfg.task._target_.endswith("SegmentationModule")
    assert masks == cfg.model._target_.endswith("unet")
    for name, node in cfg.callbacks.items():
        assert node is not None, name


PAPERS = ("patch_gaussian", "augmix", "pgd", "pgd_awp", "trades", "trades_awp", "fgsm_rs")


@pytest.mark.parametrize("option", [f"cifar10_{name}" for name in PAPERS])
def test_experiments_from_papers_name_their_figures_and_have_a_small_size(option, tmp_path):
    cfg, small = composed(f"experiment={option}"), composed(f"experiment={option}", "size=cpu")
    assert cfg.model._target_ == small.model._target_ == "robustlit.models.resnet18"
    assert (cfg.model.width, small.model.width) == (64, 16)
    assert small.trainer.max_epochs < cfg.trainer.max_epochs
    assert (cfg.names["size"], small.names["size"]) == (None, "cpu")
    assert cfg.published == small.published
    tests = [instantiate(node) for node in small.evaluation.values()]
    for key, paper in cfg.published.items():
        test, _, metric = key.partition("/")
        assert test in {"clean", "common", "bar", "adversarial", "auto_attack"}
        assert metric
        assert 0 < paper.value < 1
        assert set(paper) == {"value", "source", "conditions"}
        if test == "adversarial":
            (own,) = [each for each in tests if each.name == test]
            assert f"{test}/{metric}" in own.expects(SimpleNamespace(task="classification"))


def test_every_yaml_is_a_primary_configuration_or_an_option():
    primary = {"train", "evaluate", "evaluate_model", "explain", "explain_model", "report"}
    reached = {f"{group}/{option}" for group, option in options()} | primary
    found = {path.relative_to(config_dir()).with_suffix("").as_posix() for path in config_dir().rglob("*.yaml")}
    shared = {name for name in found if name.count("/") > 1}  # composed by the options above
    assert found - shared == reached


def test_evaluate_composes():
    cfg = composed("run=somewhere", name="evaluate")
    assert list(cfg.evaluation) == ["clean"]


def test_evaluate_model_composes():
    cfg = composed("model=resnet18", "data=image_folder", name="evaluate_model")
    assert (cfg.names.model, cfg.names.data, list(cfg.evaluation)) == ("resnet18", "image_folder", ["clean"])
