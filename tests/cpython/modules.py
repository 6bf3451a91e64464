"""The modules of CPython's test-suite that are run, and what is left out of them, with the ground for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

READS_CODE = "reads or writes out the names and constants of a code object: the hooks stand there as well"
LAST_LEVEL = "fills the stack to the last level, and a hook needs one of its own"
HOOK_FRAMES = "counts every frame, those of the hooks as well"
MINUTES = "takes minutes where every call is watched"
IN_C = "has C exchange how one function is called, which its watched copy does not know"
LINECACHE = "expects `linecache` to be empty, where the observer looks sources up"
BUILTIN = "replaces a builtin function, which the observer itself then calls"
WHEN = "expects the garbage to be collected at one operation; a method that a hook is handed is an object more to count"
GARBAGE = "counts objects or references, and those of the observer are among them"


def is_one_of(module: object, names: Sequence[str]) -> bool:
    """Whether `module` is the name of one of the modules and packages `names`, or of one in them."""
    return type(module) is str and any(f"{module}.".startswith(f"{name}.") for name in names)


@dataclass(frozen=True, slots=True)
class Module:
    """`test.<name>`, rewritten with the library modules `of` that it tests, as far as they are written in Python.

    `left_out` are patterns of the names of tests that are never run, `not_observed` of those that are not run where
    the Observer watches, each with its ground.
    """

    name: str
    of: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    not_observed: Mapping[str, str] = field(default_factory=dict)
    is_quick: bool = False

    @property
    def full_name(self) -> str:
        return f"test.{self.name}"

    @property
    def rewritten(self) -> tuple[str, ...]:
        """The names of the modules and packages that are rewritten: the helpers of the tests, too."""
        return (*self.of, "test", self.full_name)

    def runs(self, test: str, mode: str) -> bool:
        """Whether the test with this name is run in `mode`."""
        patterns: Iterable[str] = [*self.left_out, *(self.not_observed if mode == "observed" else ())]
        return not any(fnmatchcase(test, f"*{pattern}") for pattern in patterns)


_ALL = (
    # The language: what it has for expressions, statements, functions and classes
    Module("test_grammar", is_quick=True),
    Module("test_scope", is_quick=True),
    Module("test_generators", is_quick=True),
    Module("test_generator_stop"),
    Module("test_genexps"),
    Module("test_listcomps"),
    Module("test_setcomps"),
    Module("test_dictcomps"),
    Module("test_named_expressions", is_quick=True),
    Module("test_patma", is_quick=True),
    Module("test_with", is_quick=True),
    Module("test_raise", is_quick=True),
    Module("test_exceptions"),
    Module("test_baseexception"),
    Module("test_except_star", is_quick=True),
    Module("test_exception_group"),
    Module("test_exception_variations"),
    Module("test_exception_hierarchy"),
    Module("test_yield_from"),
    Module("test_coroutines", is_quick=True),
    Module("test_asyncgen"),
    Module("test_augassign"),
    Module("test_binop"),
    Module("test_unary"),
    Module("test_compare"),
    Module("test_richcmp"),
    Module("test_contains"),
    Module("test_bool"),
    Module("test_class"),
    Module("test_super", is_quick=True),
    Module("test_descr"),
    Module("test_descrtut"),
    Module("test_decorators"),
    Module("test_metaclass"),
    Module("test_subclassinit"),
    Module("test_property"),
    Module("test_dynamicclassattribute", ("types",)),
    Module("test_funcattrs"),
    Module("test_keywordonlyarg"),
    Module("test_positional_only_arg"),
    Module("test_extcall"),
    Module("test_call", not_observed={".test_setvectorcall": IN_C}),
    Module("test_global"),
    Module("test_unpack"),
    Module("test_unpack_ex"),
    Module("test_fstring"),
    Module("test_string_literals"),
    Module("test_syntax"),
    Module("test_type_annotations"),
    Module("test_type_comments"),
    Module("test_typechecks"),
    Module("test_genericalias"),
    Module("test_genericclass"),
    Module("test_isinstance"),
    Module("test_dynamic", not_observed={".RebindBuiltinsTests.test_modify_builtins*": BUILTIN}),
    Module("test_abstract_numbers", ("numbers",)),
    Module("test_opcodes"),
    Module("test_flufl"),
    # Built-in functions and types
    Module("test_builtin"),
    Module("test_iter"),
    Module("test_iterlen"),
    Module("test_enumerate"),
    Module("test_range"),
    Module("test_slice"),
    Module("test_index"),
    Module("test_format"),
    Module("test_print"),
    Module("test_dict"),
    Module("test_dictviews"),
    Module("test_list"),
    Module("test_tuple"),
    Module("test_set"),
    Module("test_int"),
    Module("test_long"),
    Module("test_float"),
    Module("test_complex"),
    Module("test_pow"),
    Module("test_hash"),
    Module("test_sort"),
    Module("test_deque"),
    Module("test_defaultdict"),
    Module("test_structseq"),
    Module("test_bytes"),
    Module("test_unicode"),
    Module("test_array"),
    # What looks into the interpreter: tracebacks, frames, code
    Module("test_traceback", ("traceback",), not_observed={".test_extract_stackup_deferred_lookup_lines": LINECACHE}),
    Module("test_sys_settrace", not_observed={"*": HOOK_FRAMES}, is_quick=True),
    Module("test_sys_setprofile", not_observed={"*": HOOK_FRAMES}),
    Module("test_bdb", ("bdb",), not_observed={"*": HOOK_FRAMES}),
    Module("test_trace", ("trace",), not_observed={"*": HOOK_FRAMES}),
    Module("test_profile", ("profile",)),
    Module("test_pstats", ("pstats",)),
    Module("test_frame", not_observed={".test_sneaky_frame_object": HOOK_FRAMES}),
    Module(
        "test_inspect",
        ("inspect",),
        left_out={".TestGetClosureVars.*": READS_CODE, ".test_signature_bind_implicit_arg": READS_CODE},
    ),
    Module("test_linecache", ("linecache",)),
    Module("test_gc", left_out={".GCTogglingTests.*": WHEN}, not_observed={".GCTests.test_frame": GARBAGE}),
    Module("test_context"),
    Module("test_atexit"),
    Module("test_audit"),
    Module("test_marshal", left_out={".CodeTestCase.*": READS_CODE}),
    Module("test_symtable", ("symtable",)),
    Module("test_ast", ("ast",), not_observed={".ModuleStateTests.test_sys_modules": BUILTIN}),
    Module("test_doctest", ("doctest",)),
    Module("test_code_module", ("code",)),
    # Libraries about functions and classes
    Module("test_contextlib", ("contextlib",), is_quick=True),
    Module("test_contextlib_async", ("contextlib",)),
    Module("test_dataclasses", ("dataclasses",)),
    Module("test_enum", ("enum",)),
    Module("test_functools", ("functools",), not_observed={".test_lru_reentrancy_with_len": BUILTIN}),
    Module("test_itertools"),
    Module("test_operator", ("operator",)),
    Module("test_types", ("types",)),
    Module("test_typing", ("typing",)),
    Module("test_abc", ("_py_abc",)),
    Module("test_weakref", ("weakref",)),
    Module("test_weakset", ("_weakrefset",)),
    Module("test_copy", ("copy",)),
    Module("test_copyreg", ("copyreg",)),
    Module("test_pickletools", ("pickletools",)),
    Module("test_collections", ("collections",)),
    Module("test_userdict", ("collections",)),
    Module("test_userlist", ("collections",)),
    Module("test_userstring", ("collections",)),
    Module("test_ordered_dict", ("collections",)),
    Module("test_heapq", ("heapq",)),
    Module("test_bisect", ("bisect",)),
    Module("test_graphlib", ("graphlib",)),
    Module("test_reprlib", ("reprlib",)),
    Module("test_pprint", ("pprint",)),
    Module("test_threading_local", ("_threading_local",)),
    Module("test_queue", ("queue",)),
    Module("test_sched", ("sched",)),
    # Libraries of numbers and text
    Module("test_math"),
    Module("test_cmath"),
    Module("test_fractions", ("fractions",)),
    Module("test_numeric_tower", ("fractions",)),
    Module("test_statistics", ("statistics",), not_observed={".test_kde*": MINUTES}),
    Module("test_random", ("random",)),
    Module("test_decimal", ("_pydecimal",)),
    Module("test_colorsys", ("colorsys",)),
    Module("test_calendar", ("calendar",)),
    Module("test_ipaddress", ("ipaddress",)),
    Module("test_uuid", ("uuid",)),
    Module("test_secrets", ("secrets",)),
    Module("test_string", ("string",)),
    Module("test_textwrap", ("textwrap",)),
    Module("test_shlex", ("shlex",)),
    Module("test_difflib", ("difflib",)),
    Module("test_re", ("re",)),
    Module("test_fnmatch", ("fnmatch",)),
    Module("test_struct"),
    Module("test_quopri", ("quopri",)),
    # Libraries of files, formats and commands
    Module("test_argparse", ("argparse",)),
    Module("test_optparse", ("optparse",)),
    Module("test_getopt", ("getopt",)),
    Module("test_cmd", ("cmd",)),
    Module("test_gettext", ("gettext",)),
    Module("test_configparser", ("configparser",)),
    Module("test_csv", ("csv",)),
    Module("test_json", ("json",)),
    Module("test_tomllib", ("tomllib",), left_out={".test_inline_table_recursion_limit": LAST_LEVEL}),
    Module("test_plistlib", ("plistlib",)),
    Module("test_netrc", ("netrc",)),
    Module("test_html", ("html",)),
    Module("test_htmlparser", ("html",)),
    Module("test_http_cookies", ("http.cookies",)),
    Module("test_sax", ("xml",)),
    Module("test_minidom", ("xml",)),
    Module("test_xml_etree", ("xml",), not_observed={".test_bug_xmltoolkit63": GARBAGE}),
    Module("test_urlparse", ("urllib.parse",)),
    Module("test_robotparser", ("urllib.robotparser",)),
    Module("test_mimetypes", ("mimetypes",)),
    Module("test_email", ("email",)),
    Module("test_shelve", ("shelve",)),
    Module("test_zipfile", ("zipfile",)),
    Module("test_tempfile", ("tempfile",)),
    Module("test_glob", ("glob",)),
    Module("test_pathlib", ("pathlib",)),
    Module("test_posixpath", ("posixpath",)),
    Module("test_ntpath", ("ntpath",)),
    Module("test_stat", ("stat",)),
    Module("test_timeit", ("timeit",)),
    Module("test_rlcompleter", ("rlcompleter",)),
    Module("test_pyclbr", ("pyclbr",)),
)

MODULES = {module.name: module for module in _ALL}
