"""Records in a wheel the git revision that it is built from."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RevisionHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds `oversight/studies/built_from.txt` where there is a revision to record."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Read the revision and have it put into the wheel; an editable install reads it live."""
        root = Path(self.root)
        if version == "editable" or not (root / ".git").exists():
            return
        path = root / "oversight" / "studies" / "revision.py"
        spec = importlib.util.spec_from_file_location("revision", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        revision = module.revision_of(root / ".git")
        if revision is not None:
            self._folder = tempfile.TemporaryDirectory()
            built = Path(self._folder.name, "built_from.txt")
            built.write_text(revision + "\n", encoding="utf-8")
            build_data["force_include"][str(built)] = "oversight/studies/built_from.txt"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the recorded file away."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()
