"""The direction of imports, and what each layer may touch: read from the code, which is not run."""

import ast
import re
import sys
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# service → console, check, replay → intake → webhook, keywords, db → consent → standard library
BELOW = {
    "consent": set(),
    "keywords": {"consent"},
    "webhook": {"consent"},
    "db": {"consent"},
    "intake": {"webhook", "keywords", "db", "consent"},
}
BELOW |= {name: {"intake", *BELOW["intake"]} for name in ("console", "check", "replay")}
BELOW["service"] = set(BELOW)

# Folders with Python in them that are not part of the application.
AROUND = {"bench", "deploy", "docs", "tests"}
MADE_HERE = {"build", "dist", "var", "venv"}  # and not kept in git

# What the core may ask of the outside: nothing that waits, reads, writes, or is different twice.
PURE = {
    "consent": {
        "collections", "dataclasses", "datetime", "enum", "functools", "itertools", "re", "typing",
    },
    "keywords": {
        "ahocorasick", "array", "collections", "contextlib", "dataclasses", "enum", "functools",
        "hashlib", "itertools", "json", "os", "pathlib", "pickle", "re", "sys", "tomllib", "types",
        "typing", "unicodedata",
    },
}  # fmt: skip
# No clock, no chance, no file but a pack.
IMPURE_CALLS = {"now", "utcnow", "today", "time", "time_ns", "open", "print", "input", "urandom"}

IO = {"aiohttp", "asyncio", "asyncpg", "http", "os", "socket", "sqlalchemy", "sqlmodel", "urllib"}

SQL = re.compile(
    r"""\s*(?:
        (?:select|SELECT)\s+(?:[\w$*'"(:.]+) (?!\s+(?:the|a|an|one)\b)
        | (?:insert\s+into|INSERT\s+INTO)\s+\w
        | (?:update|UPDATE)\s+[\w."]+(?:\s+(?:as\s+)?\w+)?\s+(?:set|SET)\s
        | (?:delete\s+from|DELETE\s+FROM)\s+\w
        | (?:with|WITH)\s+(?:recursive\s+|RECURSIVE\s+)?\w+\s*(?:\([\w\s,]*\))?\s+(?:as|AS)\s*
          (?:not\s+materialized\s*|materialized\s*)?\(
        | (?:create|drop|alter|CREATE|DROP|ALTER)\s+
          (?:table|index|role|database|schema|function|trigger|TABLE|INDEX|ROLE|DATABASE|SCHEMA)\s
        | (?:truncate|TRUNCATE)\s+(?:table\s+|TABLE\s+)?\w+\s*(?:cascade|CASCADE)?;?\s*$
        | (?:grant|revoke|GRANT|REVOKE)\s+[\w,\s]+\s(?:on|ON)\s
        | (?:copy|COPY)\s+\w+\s*(?:\([\w\s,]*\)\s*)?(?:from|to|FROM|TO)\s
        | (?:listen|notify|LISTEN|NOTIFY)\s+\w+;?\s*$
    )""",
    re.VERBOSE,
)

# The tables that say what was said; rows get into them by `intake` alone.
LEDGER = {
    *("message", "contact", "contact_link", "consent", "audit_entry", "evidence", "hold"),
    *("name_change", "quarantine"),
}
INTO = re.compile(r"insert\s+into\s+(\w+)", re.IGNORECASE)

PACKAGES = sorted(name for name in BELOW if (ROOT / name).is_dir())


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def files(*packages):
    return sorted(chain.from_iterable((ROOT / package).rglob("*.py") for package in packages))


def imports(tree):
    """Every module named in an import, whole, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole way"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("__import__", "import_module"):
            assert isinstance(node.args[0], ast.Constant), "what is imported must be readable here"
            yield str(node.args[0].value)


def tops(tree):
    return {name.split(".")[0] for name in imports(tree)}


def _called(node):
    return getattr(node.func, "attr", None) or getattr(node.func, "id", None)


def _docstrings(tree):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        first = node.body[0] if isinstance(node, kinds) and node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value


def texts(tree):
    """Every string of a module but its docstrings; of an f-string the parts that are written."""
    left_out = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in left_out:
            if isinstance(node.value, str):
                yield node.value
            elif isinstance(node.value, bytes):
                yield node.value.decode("latin-1")


def statements(tree):
    return [text.strip()[:60] for text in texts(tree) if SQL.match(text)]


def writers(tree=None):
    """The functions of `db.statements`: each of them writes."""
    tree = tree or parsed(ROOT / "db" / "statements.py")
    return {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}


def named(path):
    return str(path.relative_to(ROOT))


def test_every_folder_with_code_has_its_place_in_the_layers():
    there = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[!.]*/**/*.py")}
    assert there - AROUND - MADE_HERE - set(BELOW) == set()
    assert [path.name for path in ROOT.glob("*.py")] == []


def test_every_package_is_in_the_wheel_and_says_what_it_knows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(wheel) == PACKAGES
    for package in PACKAGES:
        said = ast.get_docstring(parsed(ROOT / package / "__init__.py"))
        assert said, package
        assert said.endswith(".")


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    allowed = {package, *BELOW[package]}
    wrong = {
        named(path): sorted(tops(parsed(path)) & (set(BELOW) | AROUND) - allowed)
        for path in files(package)
    }
    assert {path: names for path, names in wrong.items() if names} == {}


def test_the_layers_have_no_ring():
    for package, below in BELOW.items():
        for lower in {package, *below}:
            assert package not in BELOW[lower]


@pytest.mark.parametrize("package", sorted(PURE))
def test_the_core_is_pure(package):
    allowed = {*PURE[package], package, *BELOW[package]}
    for path in files(package):
        assert tops(parsed(path)) - allowed == set(), named(path)
        calls = [_called(node) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)]
        assert set(calls) & IMPURE_CALLS == set(), named(path)


def test_consent_needs_the_standard_library_and_nothing_else():
    used = set(chain.from_iterable(tops(parsed(path)) for path in files("consent"))) - {"consent"}
    assert used
    assert used <= sys.stdlib_module_names


def test_only_the_packs_are_read_by_keywords():
    readers = {
        named(path)
        for path in files("keywords")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and _called(node) in {"read_text", "read_bytes", "write_text", "write_bytes", "glob"}
    }
    assert readers <= {"keywords/pack.py", "keywords/kept.py"}


def test_the_parser_waits_for_nothing():
    for path in files("webhook"):
        if path.name != "endpoint.py":
            used = tops(parsed(path)) - {
                "urllib"
            }  # urllib.parse reads no address but the text of one
            assert used & IO == set(), named(path)


def test_webhook_knows_no_store():
    for path in files("webhook"):
        assert tops(parsed(path)) & {"db", "intake", "asyncpg", "sqlalchemy", "sqlmodel"} == set()


_OUTSIDE = [path for package in PACKAGES if package != "db" for path in files(package)]


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=named(path)) for path in _OUTSIDE],
)
def test_db_alone_holds_sql(path):
    assert statements(parsed(path)) == []


def test_rows_get_into_the_ledger_by_the_statements_of_the_write_alone():
    into = {
        named(path): {table.lower() for text in texts(parsed(path)) for table in INTO.findall(text)}
        & LEDGER
        for path in files("db")
    }
    assert {path for path, tables in into.items() if tables} == {"db/statements.py"}
    assert into["db/statements.py"] == LEDGER


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "intake"])
def test_intake_alone_writes(package):
    writing = writers()
    assert {"insert_messages", "lock_standings", "append_entries", "insert_holds"} <= writing
    for path in files(package):
        if named(path) == "db/statements.py":
            continue
        tree = parsed(path)
        taken = {name.removeprefix("db.statements.") for name in imports(tree)}
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert (taken | used) & writing == set(), named(path)


# What an operator decides: `db` says how it is written, and `intake` alone writes it.
DECIDED = {
    "db/reviews.py": {"lock_hold", "mark_reviewed"},
    "db/app_keywords.py": {"add_keyword", "remove_keyword"},
}


def test_what_operators_decide_is_written_by_intake_alone():
    names = set().union(*DECIDED.values())
    for path, made in DECIDED.items():
        assert made <= writers(parsed(ROOT / path))
    for package in PACKAGES:
        for path in files(package):
            tree = parsed(path)
            used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert package == "intake" or not used & names, named(path)


def test_intake_writes_within_record_and_makes_months_before():
    calling = {
        named(path): {
            node.attr
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Attribute) and node.attr in writers()
        }
        for path in files("intake")
    }
    assert {path: names for path, names in calling.items() if names} == {
        "intake/record.py": writers() - {"make_month"},
        "intake/write.py": {"make_month"},
    }


# The guards themselves


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("select 1", id="a probe"),
        pytest.param("select clock_timestamp()", id="a function"),
        pytest.param("\n  select a, b from t where c = $1", id="a query over lines"),
        pytest.param("SELECT * FROM message", id="in capitals"),
        pytest.param("insert into message (app_id) values ($1)", id="an insert"),
        pytest.param("update app set slug = $1", id="an update"),
        pytest.param("update consent as c set x = 1", id="an update by another name"),
        pytest.param("delete from evidence where app_id = $1", id="a delete"),
        pytest.param("with a as (select 1) select * from a", id="a query with a part"),
        pytest.param("with recursive n(key) as (select 1)", id="a recursive one"),
        pytest.param("with n as materialized (select 1)", id="a materialised one"),
        pytest.param("create table t (a int)", id="a table"),
        pytest.param("truncate audit_entry", id="a truncate"),
        pytest.param("grant select on message to x", id="a right"),
        pytest.param("copy message (a, b) from stdin", id="a copy"),
        pytest.param("notify optledger", id="a notice"),
    ],
)
def test_what_is_sql(text):
    assert SQL.match(text)
    assert statements(ast.parse(f"x = {text!r}")) == [text.strip()[:60]]
    assert statements(ast.parse(f"x = {text.encode()!r}")) == [text.strip()[:60]]
    assert statements(ast.parse(f"def f():\n    return conn.fetch(f{text!r} f'{{more}}')"))
    assert statements(ast.parse(f"def f():\n    {text!r}")) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Select the app to look at.", id="a sentence"),
        pytest.param("with the words of the contact", id="a preposition"),
        pytest.param("update the tables", id="an instruction"),
        pytest.param("delete it from the list", id="another"),
        pytest.param("create an app first", id="and another"),
        pytest.param("selected", id="a longer word"),
        pytest.param("copy of the key file", id="a noun"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_sql(text):
    assert not SQL.match(text)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        pytest.param("import db.pool", {"db.pool"}, id="a module"),
        pytest.param("from db import statements", {"db.statements"}, id="a part of one"),
        pytest.param("def f():\n    import db", {"db"}, id="inside a function"),
        pytest.param("if TYPE_CHECKING:\n    import db", {"db"}, id="for types alone"),
        pytest.param("importlib.import_module('db')", {"db"}, id="by name"),
        pytest.param("__import__('db')", {"db"}, id="by hand"),
        pytest.param("text = 'import db'", set(), id="words are no import"),
    ],
)
def test_what_is_an_import(code, found):
    assert set(imports(ast.parse(code))) == found


@pytest.mark.parametrize("code", ["from . import db", "importlib.import_module(name)"])
def test_what_hides_an_import_is_refused(code):
    with pytest.raises(AssertionError):
        list(imports(ast.parse(code)))
