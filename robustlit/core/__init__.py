"""The contracts every other part relies on; torch only.

Names, random numbers, pixels, adapter, training-step pipeline and neutral scope, one file each.
"""
