"""Settings of all tests."""

from hypothesis import settings

# Machines are noisy: no example is judged by the time it took. The same examples every time.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
