"""How hypothesis looks for counterexamples: in tests among the same inputs in every run, and never by the clock.

`--hypothesis-profile search` takes other inputs in every run.
"""

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the SDKs' environment is without it
    pass
else:
    settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("tests", settings.get_profile("search"), derandomize=True, max_examples=40)
    settings.load_profile("tests")
