"""Templates: Jinja2 with a closed world around it.

Jinja's sandbox guards Python's attributes; it does not bound work. Here a template sees only text,
numbers, times, addresses, lists and records; only listed syntax, filters and tests exist; each loop
turn, call, filter and operation looks at a deadline and counts what it makes. Macros, blocks,
includes and lists nested at run time are left out: each is a way to multiply work that no look at
the size of one value would see.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from traceback import walk_tb
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    Undefined,
    nodes,
    pass_context,
)
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from core.errors import Fault, PoligonError
from core.patterns import literal
from core.scenario.template_filters import FILTERS, METER, TESTS, limited_range, meter_of
from core.scenario.template_world import (
    MAX_TEXT,
    Meter,
    Record,
    Refusal,
    RefusedError,
    bound_operation,
    text_of,
)

_MAX_TOKENS = 20_000
_MAX_DEPTH = 100
_SOURCE = "<template>"  # Jinja's file name for a template made from a string


class TemplateFailedError(PoligonError):
    """A template does not compile, names what is not there, or passes a limit."""

    code = "scenario.template_failed"
    fault = Fault.INPUT

    def __init__(self, reason: str, *, where: str = "", line: int = 1) -> None:
        super().__init__(f"{where}:{line}: {reason}" if where else reason)
        self.reason = reason
        self.where = where
        self.line = line


def compile_leaf(source: str) -> Template:
    """Compile a string of the YAML file: `{{ }}` only, `{%` and `{#` are text.

    Raises TemplateFailedError.
    """
    return _compiled(source, statements=False)


def compile_pattern(source: str) -> Template:
    """Compile such a string that is a regular expression: what `{{ }}` gives stands for itself.

    Raises TemplateFailedError.
    """
    return _compiled(source, statements=False, in_pattern=True)


def compile_file(source: str) -> Template:
    """Compile a template file, statements and comments included. Raises TemplateFailedError."""
    return _compiled(source, statements=True)


def run(template: Template, facts: Mapping[str, object]) -> str:
    """Return what the template prints, at most 1 MiB. Raises TemplateFailedError."""
    chunks: list[str] = []
    size = 0
    try:
        for chunk in template.generate({**facts, METER: Meter()}):
            size += len(chunk)
            if size > MAX_TEXT:
                raise RefusedError("it prints more than 1 MiB")
            chunks.append(chunk)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as exc:
        raise TemplateFailedError(_reason(exc), line=_line(exc)) from exc
    return "".join(chunks)


def undefined_names(
    source: str, facts: Mapping[str, object], *, statements: bool
) -> list[tuple[int, str]]:
    """Return every name that `facts` do not hold, as line and sentence, without running anything.

    `source` must have compiled.
    """
    tree = _environment(statements=statements).parse(source)
    own = {n.name for n in tree.find_all(nodes.Name) if n.ctx == "store"} | {"loop", "range"}
    found = [
        (name.lineno, f"{name.name!r} is not defined; known are {', '.join(sorted(facts))}")
        for name in tree.find_all(nodes.Name)
        if name.ctx == "load" and name.name not in own and name.name not in facts
    ]
    for kind in (nodes.Getattr, nodes.Getitem):
        for node in tree.find_all(kind):
            assert isinstance(node, nodes.Getattr | nodes.Getitem)
            found += [(node.lineno, sentence) for sentence in _missing(node, facts, own=own)]
    return sorted(found)


def _missing(
    node: nodes.Getattr | nodes.Getitem, facts: Mapping[str, object], *, own: set[str]
) -> Iterator[str]:
    record, name = _static(node.node, facts, own=own), _field_name(node)
    if isinstance(record, Record) and name is not None:
        value = record.fields.get(name)
        if name not in record.fields:
            yield record.lacks(name)
        elif isinstance(value, Refusal):
            yield value.message


def _static(node: nodes.Node, facts: Mapping[str, object], *, own: set[str]) -> object:
    """Return what a chain of names leads to, or None where only running it could tell."""
    if isinstance(node, nodes.Name):
        return None if node.name in own else facts.get(node.name)
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        record, name = _static(node.node, facts, own=own), _field_name(node)
        return record.fields.get(name) if isinstance(record, Record) and name else None
    return None


def _field_name(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return str(node.arg.value) if isinstance(node.arg, nodes.Const) else None


@lru_cache(maxsize=1024)
def _compiled(source: str, *, statements: bool, in_pattern: bool = False) -> Template:
    environment = _environment(statements=statements, in_pattern=in_pattern)
    try:
        if len(source) > MAX_TEXT:
            raise RefusedError("it is longer than 1 MiB")
        for count, _ in enumerate(environment.lex(source)):
            if count > _MAX_TOKENS:
                raise RefusedError(f"it has more than {_MAX_TOKENS} tokens")
        template = environment.from_string(source)
    except TemplateSyntaxError as exc:
        raise TemplateFailedError(exc.message or "wrong syntax", line=exc.lineno) from exc
    except TemplateError as exc:
        raise TemplateFailedError(str(exc)) from exc
    except (RecursionError, MemoryError, SyntaxError, OverflowError) as exc:
        raise TemplateFailedError("it is nested too deeply") from exc
    # Every rendering copies them, and Jinja's chain of mappings is slow to copy.
    template.globals = dict(template.globals)
    return template


def _reason(exc: Exception) -> str:
    return (str(exc) if isinstance(exc, TemplateError) else f"{type(exc).__name__}: {exc}")[:300]


def _line(exc: Exception) -> int:
    # Jinja rewrites the trace so that its frames carry the template's own lines.
    lines = [n for frame, n in walk_tb(exc.__traceback__) if frame.f_code.co_filename == _SOURCE]
    return lines[-1] if lines else 1


_SYNTAX = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Filter,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.BinExpr,
    nodes.UnaryExpr,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Call,
    nodes.Keyword,
    nodes.List,
    nodes.Tuple,
    nodes.For,
    nodes.If,
    nodes.Assign,
)
_LITERALS = (nodes.Const, nodes.List, nodes.Tuple)
_LOOP_FIELDS = frozenset({"index", "index0", "revindex", "first", "last", "length", "cycle"})


def _admit(tree: nodes.Template) -> None:
    """Refuse syntax that is not listed. Walks without recursion: the tree may be deep."""
    pending: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if not isinstance(node, _SYNTAX) or getattr(node, "recursive", False):
            what = type(node).__name__.lower()
            raise TemplateSyntaxError(f"{what} is not available here", node.lineno or 1)
        if depth > _MAX_DEPTH:
            raise TemplateSyntaxError("it is nested too deeply", node.lineno or 1)
        pending += [(child, depth + 1) for child in node.iter_child_nodes()]


class _Limits(NodeTransformer):
    """Puts a filter that counts where Jinja would work unwatched."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "-turns")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "join")

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802  # Jinja's name
        self.generic_visit(node)
        return _filtered(node, "-spent") if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802  # Jinja's name
        return self._flat(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802  # Jinja's name
        return self._flat(node) if node.ctx == "load" else node

    def _flat(self, node: nodes.List | nodes.Tuple) -> nodes.Node:
        # A list that holds itself twice doubles at each step; its length would not tell.
        self.generic_visit(node)
        node.items = [i if isinstance(i, _LITERALS) else _filtered(i, "-item") for i in node.items]
        return node


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    assert isinstance(node, nodes.Expr)
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    """Fields of records are all there is to reach; what is called and added is counted."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401
        _admit(source)
        return super()._generate(_Limits().visit(source), *args, **kwargs)

    def getattr(self, obj: object, attribute: str) -> object:
        if isinstance(obj, LoopContext) and attribute in _LOOP_FIELDS:
            return getattr(obj, attribute)
        return self._field(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, str | bytes | list | tuple) and isinstance(argument, int | slice):
            return obj[argument]
        return self._field(obj, argument)

    def _field(self, obj: object, name: object) -> object:
        if not isinstance(obj, Record):
            raise RefusedError(f"{text_of(obj)[:40]!r} has no fields")
        if not isinstance(name, str) or name not in obj.fields:
            return self.undefined(obj.lacks(text_of(name)), name=text_of(name))
        value = obj.fields[name]
        if isinstance(value, Refusal):
            raise RefusedError(value.message)
        return value

    def call(self, context: Context, obj: object, *args: object, **kwargs: object) -> object:
        if not callable(obj) or isinstance(obj, Undefined | LoopContext):
            raise RefusedError(f"{text_of(obj)[:40]!r} cannot be called")
        # Inside loops and blocks Jinja hands over its own variables as well.
        named = {k: v for k, v in kwargs.items() if k not in {"_loop_vars", "_block_vars"}}
        return meter_of(context).spend(obj(*args, **named))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401
        bound_operation(operator, left, right)
        return meter_of(context).spend(super().call_binop(context, operator, left, right))


# With a context it cannot be applied while compiling, where nothing is counted.
@pass_context
def _printed(_context: Context, value: object) -> str:
    if type(value) is str:  # nearly all that is printed
        return value
    return str(value) if type(value) is int else text_of(value)


@pass_context
def _literal(context: Context, value: object) -> str:
    return literal(_printed(context, value))


@lru_cache(maxsize=3)
def _environment(*, statements: bool, in_pattern: bool = False) -> _Environment:
    # In a string of the YAML file `{%` is text (`HB{%s}`), so its delimiters are ones YAML refuses.
    delimiters = (
        {} if statements else {"block_start_string": "\x01%", "comment_start_string": "\x01#"}
    )
    environment = _Environment(
        undefined=StrictUndefined,
        finalize=_literal if in_pattern else _printed,
        optimized=False,  # folding constants would work unwatched
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        **delimiters,
    )
    environment.globals = {"range": limited_range}
    environment.filters = dict(FILTERS)
    environment.tests = dict(TESTS)
    return environment
