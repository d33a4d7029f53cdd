"""C-bar: the corruptions that are unlike ImageNet-C on purpose (Mintun et al. 2021)."""
