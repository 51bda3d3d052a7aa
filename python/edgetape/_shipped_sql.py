"""The SQL files of the command: in the wheel, or where they lie in a clone."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Optional, Tuple

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE / "_shipped" if (_HERE / "_shipped").is_dir() else _HERE.parent.parent

Columns = Tuple[Tuple[str, str], ...]


@dataclass(frozen=True)
class ReadyView:
    """A macro that answers a question from the tables."""

    name: str
    question: str
    example: str
    parameters: str
    sql: str


@lru_cache(maxsize=None)
def exchanges() -> Tuple[str, ...]:
    """Those whose tables the views over all exchanges know."""
    return tuple(sorted(path.parent.name for path in _ROOT.glob("exchanges/*/normalized")))


@lru_cache(maxsize=None)
def ready_views() -> Tuple[ReadyView, ...]:
    """All of them, by name."""
    files = [path for path in _sql_files("views") if not path.name.startswith("_")]
    return tuple(sorted((_view(path) for path in files), key=lambda view: view.name))


@lru_cache(maxsize=None)
def shared_sql() -> str:
    """Macros that views are written with."""
    shared = [path for path in _sql_files("views") if path.name == "_shared.sql"]
    return "\n".join(_text(path) for path in shared + _normalized("_shared"))


def gaps_sql(here: List[str]) -> str:
    """The relation `gaps`, made of the nightly tables of coverage."""
    text = _text(_ROOT / "reader/query/views/_gaps.sql")
    return text.replace("VALUES EXCHANGES", "VALUES " + ", ".join(f"('{name}')" for name in here))


@lru_cache(maxsize=None)
def normalized_views() -> Dict[str, Columns]:
    """Columns of the views over all exchanges, as docs/query.md has them."""
    found = {title: _columns(body) for title, body in _sections(_text(_ROOT / "docs/query.md")) if title.endswith("_all")}
    first = found["trades_all"]
    # The first of them says what all begin with, up to `source`.
    head = first[: [name for name, _ in first].index("source") + 1]
    return {name: columns if name == "trades_all" else head + columns for name, columns in found.items()}


def normalized_part(view: str, exchange: str) -> Optional[str]:
    """An exchange's query for a view over all of them."""
    path = _ROOT / "exchanges" / exchange / "normalized" / f"{view}.sql"
    return re.sub(r"(?m)^ *--.*\n", "", _text(path)) if path.exists() else None


@lru_cache(maxsize=None)
def table_columns(exchange: str) -> Dict[str, Columns]:
    """Columns of an exchange's tables, as the pages have them: for tables, or columns, that have no rows here."""
    pages = [_ROOT / "docs/tables.md", _ROOT / f"docs/exchanges/{exchange}-tables.md"]
    sections = [section for page in pages if page.exists() for section in _sections(_text(page))]
    return {title: _columns(body) for title, body in sections if re.fullmatch(r"\w+", title)}


def _sql_files(folder: str) -> List[Path]:
    return sorted(_ROOT.glob(f"reader/query/{folder}/*.sql")) + sorted(_ROOT.glob(f"exchanges/*/{folder}/*.sql"))


def _normalized(name: str) -> List[Path]:
    return sorted(_ROOT.glob(f"exchanges/*/normalized/{name}.sql"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _view(path: Path) -> ReadyView:
    text = _text(path)

    def one(key: str) -> str:
        found = re.search(rf"(?m)^-- {key}: (.*)$", text)
        return found.group(1) if found else ""

    sql = re.sub(r"(?m)^ *--.*\n", "", text)
    return ReadyView(path.stem, one("Question"), one("Example"), one("Parameters"), sql)


def _sections(page: str) -> List[Tuple[str, str]]:
    parts = re.split(r"(?m)^#{2,3} (.*)$", page)
    return list(zip(parts[1::2], parts[2::2]))


def _columns(section: str) -> Columns:
    rows = re.findall(r"(?m)^\| `?(\w+)`? +\| ([A-Z]+(?:\[\])?) +\|", section)
    return tuple((name, kind) for name, kind in rows)
