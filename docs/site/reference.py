"""The pages of the reference: which names they show, from the docstrings."""
import ast

import links

__all__ = ['PUBLIC', 'navigation', 'pages']

# Page -> its title and the modules whose `__all__` it shows. What being here
# means stands in docs/public_names.md.
PUBLIC = {
    'pgak': ('pgak', ('pgak',)),
    'data': ('pgak.data', ('pgak.data', 'pgak.data.kinds')),
    'models': ('pgak.models', ('pgak.models',)),
    'networks': ('pgak.networks', ('pgak.networks',)),
    'priors': ('pgak.priors', ('pgak.priors', 'pgak.priors.fitted')),
    'metrics': ('pgak.metrics', ('pgak.metrics.metric',)),
    'evaluation': ('pgak.evaluation', (
        'pgak.evaluation', 'pgak.evaluation.protocols')),
    'serving': ('pgak.serving', ('pgak.serving',)),
    'losses': ('pgak.losses', ('pgak.losses',)),
    'schedules': ('pgak.schedules', ('pgak.schedules',)),
    'settings': ('pgak.settings', ('pgak.settings',)),
    'noise': ('pgak.noise', ('pgak.noise',)),
    'optimizers': ('pgak.optimizers', ('pgak.optimizers',)),
    'errors': ('pgak.errors', ('pgak.errors',)),
    'pictures': ('pgak.pictures', ('pgak.pictures.grids',)),
    'runs': ('pgak.runs', ('pgak.runs.run_directory', 'pgak.runs.scores')),
}
# Names that a package looks up when they are first used.
_LATE = {
    'pgak': {'compare': 'pgak.functions', 'evaluate': 'pgak.functions',
             'export': 'pgak.functions', 'train': 'pgak.functions',
             'load': 'pgak.runs.checkpoints'},
    'pgak.evaluation': {
        'Evaluator': 'pgak.evaluation.evaluator',
        'evaluate': 'pgak.evaluation.runs',
        'feature_net': 'pgak.evaluation.evaluator',
        'format_table': 'pgak.evaluation.tables',
        'frechet_scorer': 'pgak.evaluation.runs'},
    'pgak.serving': {'ServedModel': 'pgak.serving.client',
                     'export': 'pgak.serving.exporting'},
}
# Whose methods come from several classes.
_WITH_INHERITED = ('GenerativeAutoencoder', 'GenerativeModel', 'FittedPrior')


def navigation():
  """Returns the entries of the navigation: `[{title: page}]`."""
  return [{title: f'reference/{page}.md'}
          for page, (title, _) in PUBLIC.items()]


def pages():
  """Returns `{path in the site: Markdown}`."""
  return {f'reference/{page}.md': _page(title, modules)
          for page, (title, modules) in PUBLIC.items()}


def _page(title, modules):
  parts = [f'# {title}\n']
  for module in modules:
    tree = _tree(module)
    if len(modules) > 1:
      parts.append(f'`{module}`\n{{: .module }}\n')
    parts.append((ast.get_docstring(tree) or '') + '\n')
    parts += [_entry(place) for place in _places(module, tree)]
  return '\n'.join(parts)


def _entry(place):
  """Returns what mkdocstrings replaces by a name's documentation."""
  inherited = place.rpartition('.')[2] in _WITH_INHERITED
  options = '    options:\n      inherited_members: true\n' * inherited
  return f'::: {place}\n{options}'


def _tree(module):
  path = links.ROOT / module.replace('.', '/')
  path = path / '__init__.py' if path.is_dir() else path.with_suffix('.py')
  return ast.parse(path.read_text(encoding='utf-8'))


def _places(module, tree):
  """Returns the full names of what a module offers, where it is defined."""
  defined = {node.name: f'{module}.{node.name}' for node in tree.body
             if hasattr(node, 'name')}
  taken = {alias.asname or alias.name: f'{node.module}.{alias.name}'
           for node in tree.body if isinstance(node, ast.ImportFrom)
           for alias in node.names}
  offered = next(ast.literal_eval(node.value) for node in tree.body
                 if isinstance(node, ast.Assign)
                 and getattr(node.targets[0], 'id', '') == '__all__')
  late = {n: f'{home}.{n}' for n, home in _LATE.get(module, {}).items()}
  homes = taken | late | defined
  return [homes[name] for name in sorted(offered, key=str.lower)
          if name in homes]
