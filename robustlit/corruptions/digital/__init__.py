"""Digital: what processing and storage do."""
