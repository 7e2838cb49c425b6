"""The git revision that this program was built from, as far as it can be known."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

BUILT = Path(__file__).with_name("built_from.txt")
"""Written when the package is built from a checkout."""
ROOT = Path(__file__).resolve().parents[2]


def revision(root: Path = ROOT, built: Path = BUILT) -> dict[str, str | None]:
    """The revision, and where it was read or why there is none."""
    if (root / "pyproject.toml").is_file() and (root / ".git").exists():
        here = revision_of(root / ".git")
        if here is not None:
            return {"git_revision": here, "git_revision_from": "the checkout that runs"}
    with suppress(OSError):
        text = built.read_text(encoding="utf-8").strip()
        if _is_revision(text):
            return {"git_revision": text, "git_revision_from": "the checkout it was built from"}
    why = "none: it was not built from a git checkout, or git was not installed then"
    return {"git_revision": None, "git_revision_from": why}


def revision_of(git: Path) -> str | None:
    """The revision that is checked out, of a `.git` folder, or of the file that a worktree or a
    submodule has in its place; None where git cannot tell."""
    # Whoever the checkout belongs to: nothing in it is run.
    command = ["git", "-c", "safe.directory=*", f"--git-dir={git}", "rev-parse", "--verify", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:  # git is not installed
        return None
    return answer if _is_revision(answer) else None


def _is_revision(text: str) -> bool:
    return len(text) in (40, 64) and all(c in "0123456789abcdef" for c in text)
