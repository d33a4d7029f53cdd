"""What the tests of confidence are made of: answers as probabilities, foreign images, curves."""
