"""A recording, opened."""

import contextlib
import datetime
import re
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple, Union

import duckdb

from . import _finished_days as finished_days
from . import _shipped_sql as shipped

When = Union[str, datetime.datetime, datetime.date]
Span = Union[str, datetime.timedelta]

# How the files of the tree are named; whatever else lies there is left alone.
_OURS = r"(?:^|/)(?:\d{2}-[A-Za-z0-9][A-Za-z0-9_.-]*|day-[A-Za-z0-9][A-Za-z0-9_.-]*)\.parquet$"
_CONFLICT = ".sync-conflict-"
_HIVE = "{'exchange': VARCHAR, 'table': VARCHAR, 'kind': VARCHAR, 'currency': VARCHAR, 'date': DATE}"
_PARTITIONS = (("exchange", "VARCHAR"), ("kind", "VARCHAR"), ("currency", "VARCHAR"), ("date", "DATE"))


def open(path: Union[str, Path], connection: Optional[duckdb.DuckDBPyConnection] = None) -> "Tape":
    """Opens a dataDir of edgetape, or a copy of one. Only Parquet is read, not what is in raw alone."""
    return Tape(path, connection)


class Tape:
    """Tables and ready views of a recording as DuckDB relations, which have `.df()`, `.pl()` and `.arrow()`."""

    def __init__(self, path: Union[str, Path], connection: Optional[duckdb.DuckDBPyConnection] = None) -> None:
        self.root = Path(path).expanduser().resolve()
        if not (self.root / "parquet").is_dir():
            raise FileNotFoundError(f"no Parquet below {self.root}: wanted a dataDir or a copy of one, the folder that holds parquet/")
        self.connection = connection if connection is not None else duckdb.connect()
        if connection is None and not sys.stdout.isatty():
            # DuckDB draws its bar into what a program prints; a notebook without ipywidgets has none to switch off.
            with contextlib.suppress(duckdb.InvalidInputException):
                self.connection.execute("SET enable_progress_bar = false")
        self.connection.execute("SET TimeZone = 'UTC'")
        self._tables: Dict[str, List[str]] = {}
        for folder in sorted(self.root.glob("parquet/exchange=*/table=*")):
            exchange, table = folder.parent.name[len("exchange=") :], folder.name[len("table=") :]
            self._tables.setdefault(table, []).append(exchange)
        self._made: Set[str] = set()
        self.connection.execute(shipped.shared_sql())

    @property
    def tables(self) -> List[str]:
        """Names of the tables that have files here."""
        return sorted(self._tables)

    @property
    def views(self) -> List[shipped.ReadyView]:
        """The ready views, as docs/query.md and docs/option-views.md describe them."""
        return list(shipped.ready_views())

    def sql(self, query: str, params: Optional[Sequence[Any]] = None) -> duckdb.DuckDBPyRelation:
        """Any query over tables, views over all exchanges and ready views; `params` for its `?`."""
        self._make_for(query)
        return self.connection.sql(query, params=list(params) if params else None)

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """All rows of a table, of all exchanges."""
        return self.sql(f'FROM "{name}"')

    def view(self, name: str, *args: Any, **kwargs: Any) -> duckdb.DuckDBPyRelation:
        """A ready view with its parameters; what is None is left out. Intervals come as seconds."""
        given = [_literal(value) for value in args]
        given += [f"{key} := {_literal(value)}" for key, value in kwargs.items() if value is not None]
        answer = self.sql(f"FROM {name}({', '.join(given)})")
        spans = [column for column, kind in zip(answer.columns, answer.types) if str(kind) == "INTERVAL"]
        # Polars takes no intervals.
        seconds = ", ".join(f'epoch("{column}") AS "{column}"' for column in spans)
        return answer.project(f"* REPLACE ({seconds})") if spans else answer

    def chain(self, at: When, coin: str = "%", lookback: Optional[Span] = None) -> duckdb.DuckDBPyRelation:
        """The option chain right before a moment: a row for each listed option."""
        return self.view("option_chain_at", "1 second", at, at, coin=coin, lookback=lookback)

    def book(self, instrument: str, at: When, depth: int = 1_000_000) -> duckdb.DuckDBPyRelation:
        """The order book right before a moment, best levels first."""
        return self.view("book_at", instrument, at, depth=depth)

    def candles(
        self, width: Span, instrument: str = "%", since: Optional[When] = None, until: Optional[When] = None
    ) -> duckdb.DuckDBPyRelation:
        """Candles of trades, of any width."""
        return self.view("trade_candles", _span(width), instrument=instrument, from_ts=since, to_ts=until)

    def trades_with_quotes(
        self, instrument: str, since: When, until: When, lookback: Optional[Span] = None
    ) -> duckdb.DuckDBPyRelation:
        """Trades with the quote, IV and greeks strictly before each."""
        return self.view("trades_with_quotes", instrument, since, until, lookback=lookback)

    def coverage(self, date: Union[str, datetime.date]) -> duckdb.DuckDBPyRelation:
        """What was collected of a UTC day, by hour, table and kind: the table that each night's coverage writes."""
        day = f"make_timestamptz(hour_us)::DATE = {_literal(str(date))}::DATE"
        return self.sql(f"FROM coverage_hours WHERE {day} ORDER BY hour_us, data, instrument_kind")

    def gaps(self, since: Optional[When] = None, until: Optional[When] = None) -> duckdb.DuckDBPyRelation:
        """Spans that are not simply there; days whose coverage was not written are `not yet known`."""
        wanted = []
        if since is not None:
            wanted.append(f"to_ts > {_literal(since)}::TIMESTAMPTZ")
        if until is not None:
            wanted.append(f"from_ts < {_literal(until)}::TIMESTAMPTZ")
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        return self.sql(f"FROM gaps{where} ORDER BY ALL")

    def _make_for(self, query: str) -> None:
        """Makes what a query names, and what that names."""
        words = set(re.findall(r"\w+", query.lower()))
        for view in shipped.ready_views():
            if re.search(rf"\b{view.name}\s*\(", query, re.I) and self._is_new(f"view {view.name}"):
                self._make_for(view.sql.split("AS TABLE", 1)[-1])
                self.connection.execute(view.sql)
        if "gaps" in words and self._is_new("gaps"):
            self._make_for("coverage coverage_hours")
            here = sorted({name for names in self._tables.values() for name in names}) or list(shipped.exchanges())
            self.connection.execute(shipped.gaps_sql(here))
        for name, columns in shipped.normalized_views().items():
            if name in words and self._is_new(name):
                self._make_normalized(name, columns)
        for exchange, table in re.findall(rf"\b({'|'.join(shipped.exchanges())})\"?\s*\.\s*\"?(\w+)", query):
            self._make_own(exchange, table)
        known = {table for exchange in shipped.exchanges() for table in shipped.table_columns(exchange)}
        for table in words & {*self._tables, *known}:
            if self._is_new(f"table {table}"):
                here = self._tables.get(table, [])
                self.connection.execute(f'CREATE OR REPLACE VIEW "{table}" AS {self._rows(table, here, here or shipped.exchanges())}')

    def _make_normalized(self, view: str, columns: shipped.Columns) -> None:
        empty = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns)
        parts = [f"SELECT {empty} WHERE false"]
        for exchange in sorted({name for names in self._tables.values() for name in names}):
            part = shipped.normalized_part(view, exchange)
            named = re.findall(rf"\b{exchange}\s*\.\s*(\w+)", part or "")
            known = {table for table in named if exchange in self._tables.get(table, []) or table in shipped.table_columns(exchange)}
            if part is None or len(known) < len(set(named)):
                continue
            for table in known:
                self._make_own(exchange, table)
            parts.append(part)
        self.connection.execute(f'CREATE OR REPLACE VIEW "{view}" AS ' + " UNION ALL BY NAME ".join(f"({part})" for part in parts))

    def _make_own(self, exchange: str, table: str) -> None:
        if not self._is_new(f"{exchange}.{table}"):
            return
        here = [exchange] if exchange in self._tables.get(table, []) else []
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{exchange}"')
        self.connection.execute(f'CREATE OR REPLACE VIEW "{exchange}"."{table}" AS {self._rows(table, here, [exchange])}')

    def _rows(self, table: str, exchanges: Sequence[str], known_to: Sequence[str]) -> str:
        """What is in the files of some exchanges, with every column that some know of the table."""
        known = dict(column for exchange in known_to for column in shipped.table_columns(exchange).get(table, ()))
        columns = {**known, **dict(_PARTITIONS)}
        empty = "SELECT " + ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns.items()) + " WHERE false"
        if not exchanges:
            return empty
        alike, others = [], []
        for name in exchanges:
            planned = finished_days.plan(self.root, name, table)
            alike += planned.alike if planned else []
            others += planned.others if planned else [str(self.root / f"parquet/exchange={name}/table={table}/**/*.parquet")]
        parts = [self._read(files, "") for files in alike]
        if others:
            ours = f"regexp_matches(filename, {_text(_OURS)}) AND NOT contains(filename, {_text(_CONFLICT)})"
            parts.append(f"{self._read(others, ', union_by_name = true')} WHERE {ours}{self._not_replaced()}")
        return " UNION ALL BY NAME ".join(f"({part})" for part in [*parts, *([empty] if known else [])])

    @staticmethod
    def _read(files: Sequence[str], more: str) -> str:
        named = ", ".join(map(_text, files))
        return (
            f'SELECT * EXCLUDE (filename, "table") FROM read_parquet([{named}]{more}, hive_partitioning = true, '
            f"hive_types = {_HIVE}, filename = true)"
        )

    def _not_replaced(self) -> str:
        """Files whose rows are in others that are there, too, are left out."""
        if not any(self.root.glob("superseded/date=*/superseded-*.jsonl")):
            return ""
        root, lists = _text(f"{self.root}/"), _text(f"{self.root}/superseded/date=*/superseded-*.jsonl")
        return f""" AND filename NOT IN (
            SELECT {root} || path FROM (SELECT path, unnest("by") AS other, len("by") AS others
              FROM read_json({lists}, columns = {{path: 'VARCHAR', "by": 'VARCHAR[]'}}))
            JOIN glob({_text(f"{self.root}/parquet/**/*.parquet")}) ON file = {root} || other
            GROUP BY path, others HAVING count(DISTINCT other) = others)"""

    def _is_new(self, what: str) -> bool:
        if what in self._made:
            return False
        self._made.add(what)
        return True


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _span(value: Span) -> "datetime.timedelta | _Sql":
    return value if isinstance(value, datetime.timedelta) else _Sql(f"{_text(value)}::INTERVAL")


class _Sql(str):
    """A piece of SQL as it is."""


def _literal(value: Any) -> str:
    if isinstance(value, _Sql):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return f"to_microseconds({value // datetime.timedelta(microseconds=1)})"
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    if isinstance(value, (datetime.date, str, Path)):
        return _text(str(value))
    if value is None:
        return "NULL"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"found {value!r}, wanted a text, a number, a time or a timedelta")
    return repr(value)
