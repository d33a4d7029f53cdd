"""What the tests on corrupted images are made of: cells, their scores, rows and pictures."""
