"""Which file a download means."""

from pathlib import Path


class Refused(Exception):
    """There is no such file to download."""


def resolve(shared: Path, wanted: str) -> Path:
    """The file in `shared` that the address names."""
    path = Path(str(shared) + "/" + wanted)
    if ".." in wanted.split("\\"):
        raise Refused(wanted)
    if not path.is_file():
        raise Refused(wanted)
    return path
