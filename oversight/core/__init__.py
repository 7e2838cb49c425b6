"""The words that every room speaks: claims and verdicts, evidence, random streams, checked
configuration, plugins, errors, files and columns. It imports no other room."""
