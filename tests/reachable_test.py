"""Every name that ships is bound or referenced in a gin file, or on a page."""
import pathlib
import re

from gin import config as gin_config

from pgak import priors
from pgak import registry
from pgak.metrics import metric

registry.register()

ROOT = pathlib.Path(__file__).absolute().parent.parent
# By their module: other tests may have registered names of their own.
NAMES = sorted({
    *(name.rpartition('.')[2] for name in gin_config._REGISTRY._selector_map
      if name.startswith('pgak.')),
    *priors.NAMES,
    *(m.name for m in metric.every()
      if not m.implied and m.compute.__module__.startswith('pgak.'))})


def words():
  """All identifiers in the statements of gin files and in the pages' code."""
  gin = [re.sub('#.*', '', path.read_text(encoding='utf-8'))
         for path in (ROOT / 'gin').rglob('*')
         if path.suffix in ('.gin', '.sweep')]
  pages = [path.read_text(encoding='utf-8')
           for path in (ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md'))
           # A list of what is there, and where: no page shows a name's use.
           if path.name != 'statements.md']
  code = [block for page in pages
          for block in re.findall(r'```.*?```|`[^`\n]+`', page, re.S)]
  return set(re.findall(r'\w+', ' '.join([*gin, *code])))


def test_every_name_is_in_a_gin_file_or_on_a_page():
  found = words()
  assert not [name for name in NAMES if name not in found]


def test_the_names_are_those_of_all_kinds():
  assert {'VPGA', 'GaussianMixture', 'dcgan_encoder', 'PerceptualError', 'adam',
          'cosine', 'gmm', 'quick', 'frechet', 'train'} <= set(NAMES)
  assert len(NAMES) > 130
