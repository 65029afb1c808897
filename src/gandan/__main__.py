import sys

from gandan.cli import main

sys.exit(main())
