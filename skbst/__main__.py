"""``python -m skbst`` is the command ``skbst``."""

import sys

from skbst.cli import main

if __name__ == "__main__":
    sys.exit(main())
