"""``python -m robustlit`` is the ``robustlit`` command."""

import sys

from robustlit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
