"""A function's source is found where it is certain, and refused where it is not."""

from __future__ import annotations

import ast
import linecache
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from janus_jax._base import Unstageable
from janus_jax._frontend import FunctionSource, SourceCache
from tests.frontend import constructs

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that writes a file and runs it as a module."""
    numbers = iter(range(100))

    def load_text(text: str) -> ModuleType:
        file = tmp_path / f"module_{next(numbers)}.py"
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        module = ModuleType(file.stem)
        module.__file__ = str(file)
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec", dont_inherit=True), module.__dict__)
        return module

    return load_text


def find(function: Any) -> FunctionSource:
    return SourceCache().find(function.__code__)


def reason_for(code: CodeType) -> str:
    with pytest.raises(Unstageable) as caught:
        SourceCache().find(code)
    return caught.value.reason_id


def text_of(source: FunctionSource) -> str:
    return ast.unparse(source.node)


def test_a_function_comes_with_its_lines_and_the_way_to_it() -> None:
    source = find(constructs.Derived.tell)
    assert isinstance(source.node, ast.FunctionDef)
    assert source.lines == ("    def tell(self):", "        return self.__secret()")
    assert source.file == constructs.__file__
    assert [type(node) for node in source.path] == [ast.Module, ast.ClassDef, ast.FunctionDef]
    assert source.path[-1] is source.node


def test_decorators_belong_to_the_lines() -> None:
    assert find(constructs.branches).lines[:2] == ("@case(5)", "def branches(n):")


def test_lambdas_on_one_line_are_told_apart(load: Load) -> None:
    module = load("""
        a, b = lambda: 1, lambda: 2
        same = [lambda x: x, lambda x: x, lambda x: lambda: x]
        outer = lambda x=lambda: 0: lambda: (lambda y: y + x)
        chosen = (lambda v: v if v else -v), (lambda v: (yield v)), (lambda: ...), (lambda: ()), (lambda: not a)
    """)
    assert text_of(find(module.a)) == "lambda: 1"
    assert text_of(find(module.b)) == "lambda: 2"
    columns = [find(function).node.col_offset for function in module.same]
    assert columns == [8, 21, 34]
    assert text_of(find(module.same[2](0))) == "lambda: x"
    assert text_of(find(module.outer)) == "lambda x=lambda: 0: lambda: lambda y: y + x"
    assert text_of(find(module.outer.__defaults__[0])) == "lambda: 0"
    assert text_of(find(module.outer())) == "lambda: lambda y: y + x"
    assert text_of(find(module.outer()())) == "lambda y: y + x"
    chosen = [text_of(find(function)) for function in module.chosen]
    assert chosen == ["lambda v: v if v else -v", "lambda v: (yield v)", "lambda: ...", "lambda: ()", "lambda: not a"]


def test_functions_of_one_name_are_told_apart(load: Load) -> None:
    module = load("""
        def f():
            return 1
        first = f
        def f():
            return 2
        class C:
            def f(self):
                return 3
            def g(self):
                def f():
                    return 4
                return f
        if first:
            def f(): return 5
    """)
    returned = [text_of(find(f)).split()[-1] for f in (module.first, module.C.f, module.C().g(), module.f)]
    assert returned == ["1", "3", "4", "5"]


def test_what_stands_in_a_finally_is_compiled_twice_and_found(load: Load) -> None:
    module = load("""
        def make(fail):
            try:
                if fail:
                    raise ValueError
            except ValueError:
                pass
            finally:
                def inner(): return [fail for _ in range(2)]
                other = lambda: fail
            return inner, other
    """)
    assert [text_of(find(f)).split()[0] for fail in (0, 1) for f in module.make(fail)] == ["def", "lambda:"] * 2


def test_signed_zeros_and_types_of_constants_count(load: Load, tmp_path: Path) -> None:
    for before, after in (("0.0", "-0.0"), ("1", "True"), ("1", "1.0"), ("(1, 2)", "(1, True)")):
        module = load(f"def f():\n    return {before}\n")
        assert module.__file__ is not None
        Path(module.__file__).write_text(f"def f():\n    return {after}\n", encoding="utf-8")
        assert reason_for(module.f.__code__) == "source-differs"


def test_an_edited_file_is_noticed_and_an_edit_elsewhere_is_not(load: Load) -> None:
    module = load("def f(x):\n    return x + 1\n")
    assert module.__file__ is not None
    file, sources = Path(module.__file__), SourceCache()
    before = sources.find(module.f.__code__)
    assert sources.find(module.f.__code__) is before
    rewrite(file, "def f(x):\n    return x + 1\n\nadded = 1\n")
    after = sources.find(module.f.__code__)
    assert text_of(after) == text_of(before)
    rewrite(file, "def f(x):\n    return x + 2\n\nadded = 1\n")
    with pytest.raises(Unstageable, match="source-differs"):
        sources.find(module.f.__code__)
    rewrite(file, "def f(x:\n")
    with pytest.raises(Unstageable, match="SyntaxError"):
        sources.find(module.f.__code__)
    file.unlink()
    with pytest.raises(Unstageable, match="no-source"):
        sources.find(module.f.__code__)


def rewrite(file: Path, text: str) -> None:
    stamp = file.stat().st_mtime_ns
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(stamp, stamp + 2_000_000_000))


def test_a_function_with_replaced_code_follows_the_code(load: Load) -> None:
    module = load("def f(x):\n    return x + 1\n\ndef g(x):\n    return x + 2\n")
    module.f.__code__ = module.g.__code__
    assert text_of(find(module.f)) == "def g(x):\n    return x + 2"
    assert reason_for(module.g.__code__.replace(co_consts=(None, 3))) == "source-differs"
    assert reason_for(module.g.__code__.replace(co_name="h")) == "source-differs"


def test_the_assertions_that_pytest_rewrote_are_refused() -> None:
    def asserting(x: int) -> None:
        assert x == 1

    assert reason_for(asserting.__code__) == "source-differs"
    assert text_of(find(find)) == ast.unparse(
        ast.parse("def find(function: Any) -> FunctionSource:\n    return SourceCache().find(function.__code__)")
    )


def test_code_without_a_file_has_no_source() -> None:
    namespace: dict[str, Any] = {}
    exec("def f():\n    return 1", namespace)
    assert reason_for(namespace["f"].__code__) == "no-source"
    exec(compile("def f():\n    return 1", "<ipython-0>", "exec"), namespace)
    assert reason_for(namespace["f"].__code__) == "no-source"
    assert reason_for(eval("lambda: 1").__code__) == "no-source"


def test_a_cell_of_a_notebook_has_its_source_in_linecache() -> None:
    text, name = "import asyncio\nawait asyncio.sleep(0)\ndef f(x):\n    return x if x else None\n", "<cell 7>"
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    module = compile(text, name, "exec", flags)
    code = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        assert text_of(SourceCache().find(code)).startswith("def f(x)")
    finally:
        del linecache.cache[name]


def test_future_imports_that_came_from_outside_are_kept(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "inherits.py"
    file.write_text("def f(x: y): return x\n", encoding="utf-8")
    module = compile(file.read_text(), str(file), "exec", flags=annotations.compiler_flag, dont_inherit=True)
    namespace: dict[str, Any] = {}
    exec(module, namespace)
    assert find(namespace["f"]).flags == annotations.compiler_flag


def test_private_names_and_type_checks_only_code(load: Load) -> None:
    module = load("""
        from __future__ import annotations
        class C:
            __x = 1
            def f(self) -> C.__y:
                '''Doc.'''
                return self.__x, __class__, super()
    """)
    assert text_of(find(module.C.f)).startswith("def f(self)")


def test_reading_gives_no_warning_and_leaves_the_filters(load: Load) -> None:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        module = load("def f(x):\n    return x is 1, '\\d'\n")
    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("error")
        find(module.f)
    assert not seen
    assert warnings.filters == before


def test_code_from_the_command_line_has_no_source_or_the_right_one() -> None:
    program = textwrap.dedent("""
        from janus_jax._frontend import SourceCache
        from janus_jax._base import Unstageable
        def f(x):
            return x + 1
        try:
            print(SourceCache().find(f.__code__).lines)
        except Unstageable as error:
            print(error.reason_id)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(sys.modules["janus_jax"].__file__ or "").parent.parent)}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert ran.stdout.strip() in {"no-source", "('def f(x):', '    return x + 1')"}


def test_threads_find_the_same_node() -> None:
    sources, found = SourceCache(), []
    threads = [
        threading.Thread(target=lambda: found.append(sources.find(constructs.branches.__code__))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(source.node) for source in found}) == 1


def test_a_cleared_cache_has_forgotten() -> None:
    sources = SourceCache()
    before = sources.find(constructs.branches.__code__)
    assert repr(sources) == "SourceCache(1 functions, 1 modules)"
    sources.clear()
    assert repr(sources) == "SourceCache(0 functions, 0 modules)"
    assert sources.find(constructs.branches.__code__).node is not before.node
