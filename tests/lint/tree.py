# SPDX-License-Identifier: Apache-2.0
"""The project's own files, found without git: a tree that sudo reads may belong to somebody else."""
import os
import pathlib

SKIPPED = {".git", "build", "subprojects", "__pycache__"}


def files(root):
    """Every file of the project under root, as (path, path relative to root), sorted."""
    root = pathlib.Path(root).resolve()
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED]
        for name in names:
            path = pathlib.Path(folder, name)
            if path.is_file() and not path.is_symlink():
                found.append((path, path.relative_to(root).as_posix()))
    return sorted(found)


def c_sources(root):
    """Every .c and .h of the project."""
    return [(path, rel) for path, rel in files(root) if rel.endswith((".c", ".h"))]


def shebang(path):
    """The interpreter line of a script, or an empty string."""
    with path.open("rb") as file:
        first = file.readline(200)
    return first.decode("utf-8", "replace").strip() if first.startswith(b"#!") else ""


def is_shell(path):
    return shebang(path).endswith(("/sh", "bash", " sh")) or path.suffix == ".sh"


def is_python(path):
    return "python" in shebang(path) or path.suffix == ".py"
