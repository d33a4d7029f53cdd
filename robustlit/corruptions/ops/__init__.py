"""Tensor operations that several corruptions share."""
