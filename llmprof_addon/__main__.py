"""`python -m llmprof_addon` is the `llmprof` command."""

import sys

from llmprof_addon.cli import main

sys.exit(main())
