"""Noise: one draw a pixel value."""
