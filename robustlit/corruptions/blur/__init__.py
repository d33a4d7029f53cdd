"""Blur: averages over neighbours."""
