"""`python -m pipelines.history.distributed`."""

import sys

from pipelines.history.distributed.ray import main

if __name__ == "__main__":
    sys.exit(main())
