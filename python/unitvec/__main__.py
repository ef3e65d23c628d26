"""`python -m unitvec`: the command `unitvec`."""

import sys

from unitvec.cli import main

if __name__ == "__main__":
    sys.exit(main())
