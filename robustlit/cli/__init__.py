"""The ``robustlit`` command. Nothing here imports torch before the configuration is composed."""
