"""Contract suites that every mechanism and failure must pass, for the authors of plugins too.

May import every room but `cli`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"contracts": ["FailureContract", "MechanismContract"]}
)
