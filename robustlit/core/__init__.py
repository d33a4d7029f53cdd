"""The contracts every other part relies on: names, random numbers, pixels, adapter, pipeline, neutral scope. torch only."""
