"""Explaining pictures: read them as the model wants them, explain, draw."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from PIL import Image
from torch import Tensor, nn

from robustlit.callbacks.explanation_scene import Scene
from robustlit.cli.errors import UserError, blame
from robustlit.cli.paths import short
from robustlit.cli.run import load_weights as load_checkpoint
from robustlit.cli.run import quiet
from robustlit.core import Adapter
from robustlit.data.image_files import find_images, read_image
from robustlit.explanations import Explanations
from robustlit.explanations.registry import chosen
from robustlit.explanations.target import AnyTarget
from robustlit.models.weights import head_name, is_file, load_weights, read_weights
from robustlit.panels.explanation import explanation_panel
from robustlit.panels.explanation_masks import mask_explanation_panel
from robustlit.panels.maps import strongest
from robustlit.panels.text import Picture

__all__ = ["explain_model", "explain_run"]

_MOST = 8  # rows of a picture


def explain_run(cfg: DictConfig) -> None:
    """Explain pictures by a checkpoint of a run, which is built without its data.

    Args:
        cfg: The resolved configuration.

    Raises:
        UserError: If the run has no such checkpoint, or a picture cannot be read.
    """
    quiet()
    folder = Path(cfg.run)
    saved = OmegaConf.load(folder / "config.yaml")
    named = folder / "checkpoints" / f"{cfg.checkpoint}.ckpt"
    path = named if named.is_file() else Path(str(cfg.checkpoint))
    if not path.is_file():
        there = ", ".join(sorted(found.stem for found in (folder / "checkpoints").glob("*.ckpt")))
        raise UserError(
            f"checkpoint: expected one of {there or 'none'} or a file, got {cfg.checkpoint!r}; try checkpoint=last"
        )
    if "weights" in saved.model:
        saved.model.weights = None  # the checkpoint has them
    with blame("run"):
        network = instantiate(saved.model, _convert_="all")
        module = instantiate(saved.task, network, _convert_="all")
        load_checkpoint(module, path)
    images, names = _pictures(cfg, saved.model.get("in_channels") or 3, _as_validated(cfg, saved, folder))
    classes = saved.task.get("class_names")
    _explain(cfg, module, Adapter.for_module(module), images, names, classes and list(classes), path.stem)


def explain_model(cfg: DictConfig) -> None:
    """Explain pictures by torchvision's weights, or a file of weights.

    Args:
        cfg: The resolved configuration.

    Raises:
        UserError: If there are no weights, or a picture cannot be read.
    """
    quiet()
    given = [str(value) for value in (cfg.model.get("weights"), cfg.checkpoint) if value is not None]
    if len(given) != 1:
        raise UserError(
            f"expected trained weights, got {len(given) or 'no'} sources of them; try model.weights=DEFAULT or "
            "checkpoint=FILE"
        )
    name = str(cfg.model.get("name") or cfg.name)
    names = _names(cfg.class_names)
    with blame("model"):
        if is_file(given[0]):
            state = read_weights(Path(given[0]))
            network = _with_head(cfg, state)
            load_weights(network, name, given[0])
        else:
            names = names or _torchvision_names(name, given[0])
            network = _built(cfg, len(names) if names else 1000, given[0])
    adapter = Adapter(mean=cfg.mean and list(cfg.mean), std=cfg.std and list(cfg.std))
    images, files = _pictures(cfg, cfg.model.get("in_channels") or 3, _squares(cfg.image_size))
    _explain(cfg, network.eval(), adapter, images, files, names, name)


def _explain(
    cfg: DictConfig,
    model: nn.Module,
    adapter: Adapter,
    images: Tensor,
    files: Sequence[str],
    class_names: Sequence[str] | None,
    title: str,
) -> None:
    """Explain pictures, and write the grid."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with blame("methods"):
        methods = tuple(chosen(list(cfg.methods) if not isinstance(cfg.methods, str) else cfg.methods).values())
    layer = cfg.layer if cfg.layer is None or isinstance(cfg.layer, str) else list(cfg.layer)
    scene = Scene(model.to(device), adapter, methods, layer, class_names, title)
    images = images.to(device)
    found = scene.explain(images, _target(cfg.target, class_names, model, adapter, images))
    picture = _drawn(scene, images, files, found)
    out = Path(cfg.out) if cfg.out is not None else _free()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(out)
    except (OSError, ValueError) as error:
        raise UserError(f"out: cannot write {str(out)!r}: {error}; try out=NAME.png") from error
    print(f"picture      {short(out.resolve())}")
    _print_answers(scene, files, found)


def _drawn(scene: Scene, images: Tensor, files: Sequence[str], found: Explanations) -> Picture:
    over = scene.over_image(list(found))
    explained = [] if found.target is None else [scene.name(place) for place in found.target.tolist()]
    if found.logits.ndim == 4:
        nothing = torch.zeros(len(images), *found.logits.shape[2:])
        _, predicted, classes = scene.masks(found.logits, nothing)
        below = [f"{what} · {file}" for what, file in zip(explained, files, strict=True)]
        return mask_explanation_panel(
            images, None, predicted, dict(found), below, scene.names(classes), title=scene.moment,
            note=scene.note(found), over_image=over,
        )  # fmt: skip
    main = found.get(scene.main.name, next(iter(found.values())))
    notes = [[f"for {what}", f"max {top:.2g}"] for what, top in zip(explained, strongest(main).tolist(), strict=True)]
    said = scene.words(found.logits, found.logits.argmax(1), notes)
    unknown = [
        each._replace(head=file, right=None, guesses=[guess._replace(true=False) for guess in each.guesses])
        for each, file in zip(said, files, strict=True)
    ]
    return explanation_panel(images, dict(found), unknown, scene.moment, scene.note(found), over, says="says")


def _print_answers(scene: Scene, files: Sequence[str], found: Explanations) -> None:
    if found.logits.ndim != 2:
        return
    for file, words in zip(files, scene.words(found.logits, found.logits.argmax(1)), strict=True):
        said = ", ".join(f"{guess.name} {guess.probability:.2f}" for guess in words.guesses)
        print(f"{file:<12} {said}")


def _target(
    wanted: Any, class_names: Sequence[str] | None, model: nn.Module, adapter: Adapter, images: Tensor
) -> AnyTarget:
    """Return the class to explain by its name or number; of masks the region where it is predicted, or else all."""
    if wanted is None:
        return None
    if isinstance(wanted, int):
        return wanted
    if class_names is None or wanted not in class_names:
        from robustlit.core.names import unknown_name

        raise UserError(f"target: {unknown_name('class', str(wanted), class_names or ['0', '1'])}")
    return list(class_names).index(wanted)


def _pictures(cfg: DictConfig, channels: int, prepare: Any) -> tuple[Tensor, list[str]]:
    """Read pictures: float N×C×H×W in [0, 1], and their names."""
    paths: list[Path] = []
    for given in map(Path, cfg.pictures):
        paths += find_images(given, "pictures") if given.is_dir() else [given]
    if len(paths) > _MOST:
        print(f"showing the first {_MOST} of {len(paths)} pictures")
    images = []
    for path in paths[:_MOST]:
        pixels = read_image(path, channels)
        image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float()
        images.append(prepare(image / (255 if pixels.dtype == np.uint8 else 65535)))
    sizes = {tuple(image.shape[-2:]) for image in images}
    if len(sizes) > 1:
        shown = ", ".join(f"{height}×{width}" for height, width in sorted(sizes))
        raise UserError(f"expected pictures of one size, got {shown}; try image_size=224")
    return torch.cat(images), [path.name for path in paths[:_MOST]]


def _squares(size: int | None) -> Any:
    """Return a function that cuts the middle square out of an image, of so many pixels."""

    def cut(image: Tensor) -> Tensor:
        if size is None:
            return image
        side = min(image.shape[-2:])
        top, left = (image.shape[-2] - side) // 2, (image.shape[-1] - side) // 2
        square = image[..., top : top + side, left : left + side]
        return nn.functional.interpolate(square, (size, size), mode="bilinear", antialias=True).clamp(0, 1)

    return cut


def _as_validated(cfg: DictConfig, saved: Any, folder: Path) -> Any:
    """Return what makes a picture like the run's validation images."""
    if cfg.image_size is not None:
        return _squares(cfg.image_size)
    nodes = saved.data.get("eval_transforms")
    if nodes:
        import albumentations

        chain = albumentations.Compose(list(instantiate(nodes, _convert_="all")))

        def transformed(image: Tensor) -> Tensor:
            pixels = chain(image=image[0].permute(1, 2, 0).numpy())["image"]
            return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].clamp(0, 1)

        return transformed
    probe = folder / "explanations" / "probe.pt"
    if probe.is_file():
        height, width = torch.load(probe, weights_only=True)["images"].shape[-2:]
        return _squares(int(height)) if height == width else _squares(None)
    return _squares(saved.data.get("image_size"))


def _with_head(cfg: DictConfig, state: dict[str, Tensor]) -> nn.Module:
    """Build a network with as many classes as the weights have."""
    network = _built(cfg, 1000, None)
    head = state.get(f"{head_name(network)}.weight")
    return network if head is None or len(head) == 1000 else _built(cfg, len(head), None)


def _built(cfg: DictConfig, num_classes: int, weights: str | None) -> nn.Module:
    node = cfg.model.copy()
    if "weights" in node:
        node.weights = weights
    elif weights is not None:
        raise UserError(f"expected a file of weights for {node['_target_']}, got {weights!r}; try checkpoint=FILE")
    for key, value in (("in_channels", cfg.model.get("in_channels") or 3), ("num_classes", num_classes)):
        if key in node:
            node[key] = value
            cfg.model[key] = value
    network: nn.Module = instantiate(node, _convert_="all")
    return network


def _names(given: Any) -> list[str] | None:
    """Return the names of the classes, from a list or a text file with one a line; None where nothing is given."""
    if given is None:
        return None
    if not isinstance(given, str):
        return [str(each) for each in given]
    try:
        return Path(given).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"class_names: expected a list or a text file with one name a line, got {given!r}: {error}; "
            "try class_names=[cat,dog]"
        ) from error


def _torchvision_names(name: str, weights: str) -> list[str] | None:
    if name not in torchvision.models.list_models(module=torchvision.models):
        return None
    choices = torchvision.models.get_model_weights(name).__members__
    return list(choices[weights].meta["categories"]) if weights in choices else None


def _free() -> Path:
    names = itertools.chain(["explain.png"], (f"explain_{number}.png" for number in itertools.count(2)))
    return next(Path(name) for name in names if not Path(name).exists())
