"""What all weight-free style operations promise: partners, banks, regions, alpha, p and soft labels."""

import pytest
import torch
from PIL import Image

from robustlit.augmentations import ClassMasks, Fourier, SquarePatch, StyleTransfer, Voronoi
from tests.augmentations.style_cases import pictures, seeds

METHODS = ("channel_statistics", "reinhard", "fourier", "amplitude_phase", "random_convolution")
STYLED = METHODS[:-1]


@pytest.mark.parametrize("method", METHODS)
def test_chosen_ones_change_and_others_do_not(method) -> None:
    images = pictures(12)
    before, op = images.clone(), StyleTransfer(method, p=0.5)
    params = op.sample(images.shape, seeds(12))
    result = op.apply(images, params)
    changed = (result != images).flatten(1).any(1)
    assert torch.equal(changed, params.chosen) and 0 < changed.sum() < 12
    assert torch.equal(images, before) and result.min() >= 0 and result.max() <= 1
    assert torch.equal(StyleTransfer(method, p=0.0)(images), images)


@pytest.mark.parametrize("method", STYLED)
def test_a_sample_gets_another_ones_style(method) -> None:
    op = StyleTransfer(method, p=1.0)
    style = op.sample(torch.Size((50, 3, 8, 8)), seeds(50)).style[:, 0]
    assert (style != torch.arange(50)).all() and style.min() >= 0 and style.max() < 50 and len(style.unique()) > 25
    alone = pictures(1)
    assert torch.allclose(op(alone), alone, atol=2e-2 if method == "reinhard" else 1e-5)  # its own style


@pytest.mark.parametrize("method", STYLED)
def test_a_bank_makes_samples_independent_of_the_batch(method) -> None:
    images, op = pictures(6), StyleTransfer(method, p=0.7, styles=pictures(4))
    whole = op(images, seeds(6))
    alone = torch.cat([op(images[i : i + 1], seeds(6)[i : i + 1]) for i in range(6)])
    assert torch.allclose(alone, whole, atol=2e-6)


def test_random_convolution_is_the_same_for_any_batch() -> None:
    images, op = pictures(6), StyleTransfer("random_convolution", p=0.7)
    whole = op(images, seeds(6))
    assert torch.equal(torch.cat([op(images[i : i + 1], seeds(6)[i : i + 1]) for i in range(6)]), whole)


@pytest.mark.parametrize("method", METHODS)
def test_regions_keep_what_is_outside(method) -> None:
    images, masks = pictures(6), torch.randint(0, 3, (6, 24, 33))
    for region in (SquarePatch(9), ClassMasks(3, share=0.5), Voronoi(3)):
        op = StyleTransfer(method, p=1.0, region=region)
        params = op.sample(images.shape, seeds(6))
        cells = region.cells(params.region, (24, 33), masks)
        result = op.apply(images, params, masks)
        outside = (cells < 0)[:, None].expand(-1, 3, -1, -1)
        assert torch.equal(result[outside], images[outside])
        for cell in range(region.count):
            style = params.style.clone()
            style[:, 0] = style[:, cell]
            detail = tuple(values[:, cell : cell + 1] for values in params.detail)
            whole = StyleTransfer(method, p=1.0)
            same = type(params)(params.chosen, style[:, :1], params.alpha, params.region, detail)
            inside = (cells == cell)[:, None].expand(-1, 3, -1, -1)
            assert torch.allclose(result[inside], whole.apply(images, same)[inside], atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_alpha_is_how_much(method) -> None:
    images = pictures(5)
    full, half = (StyleTransfer(method, p=1.0, alpha=alpha) for alpha in (1.0, 0.5))
    params = full.sample(images.shape, seeds(5))
    half_params = type(params)(params.chosen, params.style, params.alpha / 2, params.region, params.detail)
    own = full.operation.describe(images)
    style = own.index_select(0, params.style[:, 0])
    ready = full.operation.prepare(own, style, *(values[:, 0] for values in params.detail))
    unclipped = full.operation.restyle(images, ready)
    expected = (images + 0.5 * (unclipped - images)).clamp(0, 1)
    assert torch.allclose(half.apply(images, half_params), expected, atol=1e-5)
    ranged = StyleTransfer(method, p=1.0, alpha=(0.2, 0.6)).sample(torch.Size((2000, 3, 8, 8)), seeds(2000)).alpha
    assert 0.2 <= ranged.min() < 0.21 and 0.59 < ranged.max() <= 0.6


@pytest.mark.parametrize("method", ["channel_statistics", "fourier", "amplitude_phase", "random_convolution"])
def test_one_channel(method) -> None:
    images = pictures(4, channels=1)
    assert not torch.equal(StyleTransfer(method, p=1.0)(images), images)


def test_reinhard_needs_three_channels() -> None:
    with pytest.raises(ValueError, match="expected images of 3 channels for Reinhard, got 1; try ChannelStatistics"):
        StyleTransfer("reinhard")(pictures(2, channels=1))


def test_soft_labels_where_asked_for() -> None:
    op = StyleTransfer("fourier", p=0.5, label_gamma=0.8)
    params = op.sample(torch.Size((6, 3, 8, 8)), seeds(6))
    targets = torch.tensor([0, 1, 2, 0, 1, 2])
    soft = op.change_targets(targets, params, 3)
    for i in range(6):
        expected = torch.zeros(3)
        expected[targets[i]] += 0.8 if params.chosen[i] else 1.0
        expected[targets[params.style[i, 0]]] += 0.2 if params.chosen[i] else 0.0
        assert torch.allclose(soft[i], expected)
    assert StyleTransfer("fourier").change_targets(targets, params, 3) is targets
    with pytest.raises(ValueError, match="class masks cannot be mixed"):
        op.change_targets(torch.zeros(6, 8, 8, dtype=torch.int64), params, 3)


def test_styles_from_a_folder(tmp_path) -> None:
    red = Image.new("RGB", (20, 30), (200, 10, 20))
    red.save(tmp_path / "red.png")
    (tmp_path / "deep").mkdir()
    red.convert("L").save(tmp_path / "deep" / "grey.jpg")
    op = StyleTransfer("fourier", p=1.0, styles=str(tmp_path))
    assert op.operation.bank.shape == (2, 3, 256, 256)
    assert torch.allclose(op.operation.bank[1].mean((1, 2)) * 255, torch.tensor([200.0, 10, 20]))
    assert op(pictures(3)).shape == (3, 3, 24, 33) and op(pictures(3, channels=1)).shape == (3, 1, 24, 33)


def test_folders_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"expected a folder of style pictures at .*nowhere, got nothing there"):
        Fourier(styles=tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"expected style pictures in .*, got none"):
        Fourier(styles=tmp_path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"expected a readable picture in .*broken.png, got "):
        Fourier(styles=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "forier"}, "expected the name of a style method, got 'forier'; try 'fourier'"),
        ({"alpha": 1.5}, "expected alpha or its range within 0 and 1, got 1.5"),
        ({"beta": (0.3, 0.1)}, "expected beta or its range within 0 and 0.5"),
        ({"p": -1}, r"expected p in \[0, 1\], got -1"),
        ({"label_gamma": 2.0}, r"expected label_gamma in \[0, 1\], got 2.0"),
        ({"label_gamma": 0.8, "region": Voronoi(2)}, "expected styles of the batch and one cell with label_gamma"),
        ({"method": "random_convolution", "kernel_sizes": (2,)}, r"expected odd kernel_sizes, got \(2,\)"),
        ({"method": "random_convolution", "styles": torch.rand(1, 3, 4, 4)}, "expected no styles"),
    ],
)
def test_wrong_settings(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        StyleTransfer(**options)


def test_style_images_of_the_wrong_kind() -> None:
    with pytest.raises(TypeError, match=r"expected style images as float S×C×H×W, got torch.uint8 \(1, 3, 4, 4\)"):
        Fourier(styles=torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
