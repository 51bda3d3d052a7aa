"""What the lists of finished days (`lists/date=…/`) say of a table's files, so that none is opened to learn its columns."""

import json
import os
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

_DERIVED = ("coverage", "coverage_hours")
# Of the newest ones files may still be on their way to a copy.
_LOOKED_AT = 3


class Plan(NamedTuple):
    """Files of a table: those with the same columns together, and patterns for the days that no list tells of."""

    alike: List[List[str]]
    others: List[str]


def plan(root: Path, exchange: str, table: str) -> Optional[Plan]:
    """None where there is no list that tells of this table."""
    if table in _DERIVED:
        return None
    days = sorted(_children(root / "lists", "date="))
    if not days:
        return None
    top = f"parquet/exchange={exchange}/table={table}"
    here: Dict[str, List[str]] = {}
    for parent in _parents(root, top):
        for date in _children(root / parent, "date="):
            here.setdefault(date, []).append(f"{parent}/date={date}")
    gone = _replaced(root)
    alike: Dict[str, List[str]] = {}
    for place, date in enumerate(days):
        if date not in here:
            continue
        files = _listed(root, exchange, table, date, gone, place >= len(days) - _LOOKED_AT)
        if files is None or not {os.path.dirname(path) for path, _ in files} <= set(here[date]):
            continue
        del here[date]
        for path, columns in files:
            alike.setdefault(columns, []).append(str(root / path))
    if not alike:
        return None
    # Names that are none of ours, and files that others replaced, are left out by whoever reads these.
    others = [folder for folders in here.values() for folder in folders if _has_file(root / folder)]
    return Plan(list(alike.values()), [str(root / folder / "*.parquet") for folder in others])


def _listed(
    root: Path, exchange: str, table: str, date: str, gone: Set[str], is_new: bool
) -> Optional[List[Tuple[str, str]]]:
    """Path and columns of each file; None where the lists of a day are not all there is of it."""
    journal = f"parquet/exchange={exchange}/table=journal/kind=none/currency=none/date={date}"
    known: Set[str] = set()
    files: Dict[str, Dict[str, str]] = {}
    folder = root / "lists" / f"date={date}"
    for name in sorted(os.listdir(folder)):
        if not (name.startswith("list-") and name.endswith(".jsonl")):
            continue
        head, *lines = (folder / name).read_text(encoding="utf-8").split("\n")
        if lines[-1:] != [""] or not _is_whole(head, date, len(lines) - 1):
            return None
        for line in lines:
            if f"{journal}/" in line:
                known.add(json.loads(line)["path"])
            if f'"parquet/exchange={exchange}/table={table}/' in line:
                file = json.loads(line)
                # Two that contradict each other: one of them is old.
                if files.setdefault(file["path"], file)["sha256"] != file["sha256"]:
                    return None
                if is_new and not (root / file["path"]).is_file():
                    return None
    # Who recorded wrote a journal: another one tells of somebody whose list is not here.
    told = {f"{journal}/{name}" for name in _names(root / journal) if _is_ours(name)} - gone
    if not told or not told <= known:
        return None
    return [(path, file["columns"]) for path, file in files.items() if path not in gone]


def _is_whole(head: str, date: str, lines: int) -> bool:
    try:
        said = json.loads(head)
    except ValueError:
        return False
    return said.get("isRevoked") is not True and (said.get("format"), said.get("date"), said.get("files")) == (1, date, lines)


def _parents(root: Path, folder: str) -> Iterator[str]:
    """Folders in which days lie, with or without kind and currency."""
    names = _names(root / folder)
    if any(name.startswith("date=") for name in names):
        yield folder
    for name in names:
        if name.startswith(("kind=", "currency=")):
            yield from _parents(root, f"{folder}/{name}")


def _replaced(root: Path) -> Set[str]:
    """Files whose rows are in others that are there, too."""
    gone: Set[str] = set()
    for notice in root.glob("superseded/date=*/superseded-*.jsonl"):
        for line in notice.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            if all((root / path).exists() for path in [told["path"], *told["by"]]):
                gone.add(told["path"])
    return gone


def _is_ours(name: str) -> bool:
    return name.endswith(".parquet") and not name.startswith((".", "~")) and ".sync-conflict-" not in name


def _has_file(folder: Path) -> bool:
    return any(name.endswith(".parquet") for name in _names(folder))


def _children(folder: Path, begin: str) -> List[str]:
    return [name[len(begin) :] for name in _names(folder) if name.startswith(begin)]


def _names(folder: Path) -> List[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
