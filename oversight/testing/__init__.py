"""The contracts that every mechanism, failure, world and student must pass, plugins' too. It may
import the rooms from `core` to `analyses`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "mechanisms": ["MechanismContract"],
        "failures": ["FailureContract"],
        "worlds": ["WorldContract"],
        "students": ["StudentContract"],
    },
)
