"""What a Python file imports, read from its syntax tree, without running it.

Standard library only, so that a bare Bazel can run the tests that need it.
"""
import ast
import dataclasses
import pathlib

__all__ = ['Import', 'imports', 'module_name']


@dataclasses.dataclass(frozen=True)
class Import:
  """One imported name.

  Attributes:
    name: in full; `from pgak import losses` is `pgak.losses`, and
      `from math import pi` is `math.pi`.
    line: where it stands, from 1.
    top_level: whether it runs when the file is imported.
  """
  name: str
  line: int
  top_level: bool


def module_name(path):
  """Returns the dotted name of a file's path relative to the checkout."""
  parts = list(pathlib.PurePosixPath(path).with_suffix('').parts)
  if parts[-1] == '__init__':
    parts.pop()
  return '.'.join(parts)


def imports(source, path='pgak/module.py'):
  """Returns the `Import`s of a source text, in the order of their lines.

  Counts `import`, `from`, and `importlib.import_module` of a literal.

  Args:
    source: text of the file.
    path: its path in the checkout, against which relative imports are read.
  """
  tree = ast.parse(source, filename=str(path))
  within_functions = {
      id(node) for function in ast.walk(tree)
      if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef,
                               ast.Lambda))
      for node in ast.walk(function)}
  found = [Import(name, node.lineno, id(node) not in within_functions)
           for node in ast.walk(tree) for name in _names(node, path)]
  return sorted(found, key=lambda item: (item.line, item.name))


def _names(node, path):
  """Returns the full names that one node of the tree imports."""
  if isinstance(node, ast.Import):
    return [alias.name for alias in node.names]
  if isinstance(node, ast.ImportFrom):
    base = _absolute(node, path)
    return [f'{base}.{alias.name}' for alias in node.names]
  if (isinstance(node, ast.Call) and node.args
      and ast.unparse(node.func).endswith('import_module')
      and isinstance(node.args[0], ast.Constant)):
    return [str(node.args[0].value)]
  return []


def _absolute(node, path):
  """Returns the module of a `from`, with its leading dots resolved."""
  if not node.level:
    return node.module
  package = pathlib.PurePosixPath(path).parts[:-node.level]
  return '.'.join([*package, *([node.module] if node.module else [])])
