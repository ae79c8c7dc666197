"""Whether the revisions in a folder are one line, from the first to the newest; no database is asked."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError

from regulars.kernel.paths import bundled


def history_faults(versions: Path) -> Iterator[str]:
    """What keeps a history from being upgraded: a revision that is missing, there twice, or beside the line.

    Args:
        versions: folder of the revisions.
    """
    heads: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        script = ScriptDirectory(str(bundled("migrations")), version_locations=[str(versions)])
        try:
            heads = script.get_heads()
        except KeyError:  # a revision that is not there: the warning names it
            pass
        except (CommandError, RevisionError) as error:
            yield str(error)
        except Exception as error:  # noqa: BLE001 -- a revision is a module of the author's, which may raise anything
            yield f"a revision cannot be imported: {type(error).__name__}: {error}"
    yield from (str(one.message) for one in said)
    if len(set(heads)) > 1:
        yield f"two revisions follow nothing or the same one; the newest are {', '.join(sorted(heads))}"


def unnamed_tables(versions: Path | None, tables: Iterable[str]) -> Iterator[str]:
    """Tables that no revision names.

    Args:
        versions: folder of the revisions, `None` where there is none.
        tables: their names without schema.
    """
    files = versions.glob("*.py") if versions else ()
    trees = [ast.walk(ast.parse(file.read_text("utf-8"))) for file in files]
    named = {node.value for tree in trees for node in tree if isinstance(node, ast.Constant)}
    yield from (table for table in tables if table not in named)
