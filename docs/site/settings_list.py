"""The page of all settings, from the declarations in the code."""
from pgak import catalogue
from pgak import registry

__all__ = ['page']

_HEAD = '''# Settings

What a gin file or `--gin_param` may bind, with the type and range that are
checked, and the default of the function or class. A setting is bound as
`NAME.argument = value`; the gin files of `gin/` bind many of them, so that a
run's own values are those of its `config.gin`. `pgak_list NAME` prints the same
for one name. This page is made from the declarations.

'''
# Titles by the folder or module below pgak, in the page's order.
_TITLES = {
    'training': 'Training', 'evaluation': 'Evaluation',
    'generation': 'Drawing', 'serving': 'Export', 'models': 'Models',
    'networks': 'Networks', 'priors': 'Priors and densities',
    'data': 'Data sets', 'metrics': 'Metrics', 'optimizers': 'Optimizers',
    'schedules': 'Schedules'}


def page():
  """Returns the page, Markdown."""
  registry.register()
  groups = {}
  for name, entry in catalogue.declared().items():
    groups.setdefault(name.split('.')[1], {})[name] = entry
  order = [*_TITLES, *sorted(set(groups) - set(_TITLES))]
  parts = [_HEAD]
  for group in order:
    if group in groups:
      parts.append(f'## {_TITLES.get(group, group.capitalize())}\n\n')
      parts += [_section(n, *e) for n, e in sorted(
          groups[group].items(), key=lambda item: item[0].lower())]
  return ''.join(parts)


def _section(name, text, rows):
  lines = [f'### {name.rpartition(".")[2]}\n', f'{_cell(text)}.\n' if text else
           '', f'`{name}`\n']
  if rows:
    lines += ['| setting | default | what it must be | meaning |',
              '|---|---|---|---|',
              *(f'| `{r["setting"].partition(".")[2]}` | {_code(r["default"])} '
                f'| {_cell(r["type"])} | {_cell(r["text"])} |' for r in rows)]
  return '\n'.join(lines) + '\n\n'


def _code(text):
  return f'`{text}`'.replace('|', '\\|') if text else 'none'


def _cell(text):
  return text.replace('|', '\\|').replace('<', '&lt;')
