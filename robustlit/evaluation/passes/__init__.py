"""Going over the images of a split and asking a module about them."""
