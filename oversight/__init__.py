"""oversight: compare scalable-oversight mechanisms by the performance gap their labels recover.

    study = oversight.load("quickstart")
    results = oversight.compare(study)
    results.summary()

The public names are listed in `__init__.pyi` and imported when first used, so that the command line
answers at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
