"""What holds for all tests: how signals come to their processes, and how hypothesis looks for counterexamples.

It looks among the same inputs in every run, and never by the clock; `--hypothesis-profile search` takes others.
"""

import signal

# A shell starts what runs in its background with this signal ignored, which our own processes would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the SDKs' environment is without it
    pass
else:
    settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("tests", settings.get_profile("search"), derandomize=True, max_examples=40)
    settings.load_profile("tests")
