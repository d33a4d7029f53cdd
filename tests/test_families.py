"""The names of the corruptions by family and by kind."""

from robustlit.families import BAR_CIFAR, COMMON, EXTRA, FAMILIES, by_family


def test_every_published_corruption_has_one_family():
    names = [name for family in FAMILIES.values() for name in family]
    assert len(names) == len(set(names)) == 15 + 4 + 15
    assert by_family(COMMON).keys() == {"noise", "blur", "weather", "digital"}


def test_order_is_that_of_the_families_and_own_names_come_last():
    found = by_family(["mine", *reversed(BAR_CIFAR), *EXTRA, "jpeg_compression", "shot_noise"])
    assert list(found) == ["noise", "digital", "extra", "C-bar", "other"]
    assert found["C-bar"] == sorted(BAR_CIFAR)
    assert found["other"] == ["mine"]
