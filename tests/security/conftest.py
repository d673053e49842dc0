"""Where the fuzzer is not built for the machine, its test is none."""

import platform
import sys

collect_ignore = (
    [] if (sys.platform, platform.machine()) == ("linux", "x86_64") else ["test_loader_fuzzing.py"]
)
