"""LightningDataModules: real data in, batches of dicts with image, target and index out."""
