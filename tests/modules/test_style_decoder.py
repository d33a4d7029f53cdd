import subprocess
import sys

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from robustlit.augmentations.adain import AdaIN, load_decoder, style_decoder
from robustlit.data import StylePairs
from robustlit.modules import StyleDecoderModule
from robustlit.modules.style_decoder import style_losses
from tests.augmentations.adain.tiny_style import shrinking_encoder, tiny_decoder, tiny_encoder, write_pictures


def moments(features):
    array = features.detach().numpy().astype(np.float64)
    return array.mean((2, 3)), np.sqrt(array.var((2, 3), ddof=1) + 1e-5)


def test_losses_follow_the_paper():
    encoder, decoder = tiny_encoder(), tiny_decoder()
    content, style = torch.rand(2, 3, 24, 24), torch.rand(2, 3, 24, 24)
    losses = style_losses(encoder, decoder, content, style)
    wanted, x = encoder.stages(style), encoder(content).detach().numpy().astype(np.float64)
    (mean_x, std_x), (mean_y, std_y) = moments(encoder(content)), moments(wanted[-1])
    spread = (slice(None), slice(None), None, None)
    target = (x - mean_x[spread]) / std_x[spread] * std_y[spread] + mean_y[spread]
    got = encoder.stages(decoder(torch.tensor(target).float()))
    assert losses.content.item() == pytest.approx(((got[-1].detach().numpy() - target) ** 2).mean(), rel=1e-4)
    expected = sum(
        ((a - b) ** 2).mean()
        for g, w in zip(got, wanted, strict=True)
        for a, b in zip(moments(g), moments(w), strict=True)
    )
    assert losses.style.item() == pytest.approx(expected, rel=1e-4)


def test_gradients_reach_the_decoder_alone():
    encoder, decoder = tiny_encoder().requires_grad_(False), tiny_decoder()
    losses = style_losses(encoder, decoder, torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16))
    (losses.content + losses.style).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in decoder.parameters())


@pytest.fixture
def run(tmp_path):
    """A short training: the module, its folder, and the values of every key."""
    pictures = {name: write_pictures(tmp_path / name, 12, seed=seed) for seed, name in enumerate(("content", "style"))}
    data = StylePairs(**pictures, resize=32, crop=32, batch_size=4, num_workers=0, val_fraction=0.25)
    module = StyleDecoderModule(tiny_decoder(), encoder=tiny_encoder(), lr=1e-2, decay=0.05)
    logger = TensorBoardLogger(tmp_path / "run", name="", version="")
    trainer = pl.Trainer(
        max_epochs=8,
        accelerator="cpu",
        logger=logger,
        default_root_dir=tmp_path / "run",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )
    trainer.fit(module, datamodule=data)
    events = EventAccumulator(str(tmp_path / "run"), size_guidance={"images": 0})
    events.Reload()
    return module, tmp_path / "run", events


def test_training_lowers_the_losses_and_leaves_a_decoder(run):
    module, folder, events = run
    for key in ("train/loss", "val/loss"):
        losses = [event.value for event in events.Scalars(key)]
        assert len(losses) == 8
        assert losses[-1] < 0.85 * losses[0]
    for prefix in ("train", "val"):
        content, style, both = (
            events.Scalars(f"{prefix}/{name}")[-1].value for name in ("content_loss", "style_loss", "loss")
        )
        assert both == pytest.approx(content + 10 * style, rel=1e-4)
    assert len(events.Images("val/styles")) == 8

    kept = load_decoder(folder / "decoder.pth")
    assert all(torch.equal(a, b) for a, b in zip(kept.parameters(), module.decoder.parameters(), strict=True))
    images = torch.rand(2, 3, 32, 32)
    operation = AdaIN(tiny_encoder(), folder / "decoder.pth", p=1.0)
    torch.testing.assert_close(operation(images), module(images, images.flip(0)), atol=1e-5, rtol=0)


def test_the_rate_falls_as_the_inverse_of_the_steps(run):
    module, _, _ = run
    assert module.optimizers().param_groups[0]["lr"] == pytest.approx(1e-2 / (1 + 0.05 * module.global_step))


def test_the_encoder_is_frozen_and_in_no_checkpoint(run):
    module, _, _ = run
    assert all(key.startswith("decoder.") for key in module.state_dict())
    before = tiny_encoder().state_dict()
    assert all(torch.equal(value, before[key]) for key, value in module.encoder.state_dict().items())


def test_identity_alone_trains_an_inverse_of_the_encoder():
    module = StyleDecoderModule(
        tiny_decoder(), encoder=tiny_encoder(), content_weight=0, style_weight=0, identity_weight=100
    )
    logged = {}
    module.log = lambda name, value, **_: logged.update({name: value.item()})
    images = torch.rand(2, 3, 16, 24)
    loss = module.training_step({"image": images, "style": None}, 0)  # a style is not even looked at
    error = (module.decoder(module.encoder(images)) - images).detach().numpy()
    assert logged["train/identity_loss"] == pytest.approx((error**2).mean(), rel=1e-5)
    assert loss.item() == pytest.approx(100 * logged["train/identity_loss"], rel=1e-5)
    assert set(logged) == {"train/loss", "train/identity_loss", "train/loss_step"}


@pytest.mark.parametrize("weights", [(0, 0, 0), (1, -1, 0)])
def test_losses_without_weights_are_refused(weights):
    names = ("content_weight", "style_weight", "identity_weight")
    with pytest.raises(ValueError, match="expected weights from 0, one of them positive"):
        StyleDecoderModule(tiny_decoder(), encoder=tiny_encoder(), **dict(zip(names, weights, strict=True)))


def test_a_decoder_of_other_widths_is_refused():
    with pytest.raises(ValueError, match=r"10 channels, got one of 4; try model.widths=\[10, 8, 6, 4\]"):
        StyleDecoderModule(style_decoder((4, 4, 4, 4)), encoder=tiny_encoder())


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    module = StyleDecoderModule(tiny_decoder(), encoder=tiny_encoder())
    module.trainer = pl.Trainer(accelerator="cpu", logger=False, default_root_dir=tmp_path, enable_checkpointing=False)
    torch.nn.init.constant_(module.decoder[28].bias, float("nan"))
    with pytest.raises(ValueError, match="expected finite weights"):
        module.on_train_epoch_end()
    assert not (tmp_path / "decoder.pth").exists()


@pytest.mark.slow
def test_the_command_trains_a_decoder(tmp_path):
    folders = {name: write_pictures(tmp_path / name, 8) for name in ("content", "style")}
    torch.save(
        {key.removeprefix("layers."): value for key, value in tiny_encoder().state_dict().items()}, tmp_path / "vgg.pth"
    )
    command = [sys.executable, "-m", "robustlit", "train", "experiment=style_decoder", "data.resize=32", "data.crop=32"]
    command += [f"data.{name}={folder}" for name, folder in folders.items()]
    command += [f"task.encoder={tmp_path / 'vgg.pth'}", "model.widths=[10,8,6,4]", "trainer.max_epochs=2"]
    command += ["trainer.accelerator=cpu", f"hydra.run.dir={tmp_path / 'run'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        AdaIN(tmp_path / "vgg.pth", tmp_path / "run" / "decoder.pth", p=1.0)(torch.rand(2, 3, 16, 16)).isfinite().all()
    )
    assert (tmp_path / "run" / "checkpoints" / "best_clean.ckpt").is_file()


def test_a_training_may_begin_with_the_inverse(tmp_path):
    names = ("content", "style")
    pictures = {name: write_pictures(tmp_path / name, 12, (32, 32), seed) for seed, name in enumerate(names)}
    losses = {}
    for images in (0, 8):
        data = StylePairs(**pictures, resize=32, crop=32, batch_size=4, num_workers=0, val_fraction=0.25)
        weights = {"content_weight": 0.0, "style_weight": 0.0, "identity_weight": 1.0}
        decoder = style_decoder((3, 3, 3, 3))  # starts out grey
        module = StyleDecoderModule(decoder, encoder=shrinking_encoder(), lr=1e-9, inverse_images=images, **weights)
        quiet = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
        trainer = pl.Trainer(max_epochs=1, accelerator="cpu", default_root_dir=tmp_path / str(images), **quiet)
        trainer.fit(module, data)
        losses[images] = trainer.callback_metrics["val/loss"].item()
    assert losses[8] < 0.5 * losses[0]
