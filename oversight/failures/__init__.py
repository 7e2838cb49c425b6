"""What can go wrong, as wrappers around a role: the base classes, the injection into a protocol,
and the catalogue in files by what fails. It may import the rooms from `core` to `overseers`.
"""
