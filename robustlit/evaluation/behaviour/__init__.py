"""What the tests of behaviour are made of: other sets and classes, slices, shapes, backgrounds, shifts."""
