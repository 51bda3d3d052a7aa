"""Copies the SQL of the command and the pages that name columns into the package: they have one home, above this folder."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent
SQL = ("reader/query/views/*.sql", "exchanges/*/views/*.sql", "exchanges/*/normalized/*.sql")
PAGES = ("docs/query.md", "docs/tables.md", "docs/exchanges/*-tables.md")


class BuildWithSql(build_py):
    def run(self) -> None:
        super().run()
        for pattern in SQL + PAGES:
            found = sorted(ROOT.glob(pattern))
            if not found:
                raise FileNotFoundError(f"no {pattern} in {ROOT}: install from a clone of edgetape")
            for path in found:
                target = Path(self.build_lib) / "edgetape" / "_shipped" / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithSql})
