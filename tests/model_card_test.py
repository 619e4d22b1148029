"""The model card and the citation say what the package is."""
import inspect
import pathlib
import re

import yaml

from pgak import models
from pgak import version

ROOT = pathlib.Path(__file__).absolute().parent.parent


def test_the_card_names_every_model():
  text = (ROOT / 'MODEL_CARD.md').read_text(encoding='utf-8')
  named = set(re.findall(r'\w+', text))
  classes = {name for name in models.__all__
             if inspect.isclass(getattr(models, name))
             and issubclass(getattr(models, name), models.GenerativeModel)
             # Those that others derive from.
             and not name.startswith(('Generative', 'Conditional'))}
  assert len(classes) > 25 and classes <= named, classes - named


def test_the_citation():
  cited = yaml.safe_load((ROOT / 'CITATION.cff').read_text(encoding='utf-8'))
  assert cited['cff-version'] == '1.2.0'
  assert cited['authors'] == [{'name': 'The pgak authors'}]
  assert cited['version'] == version.__version__
  assert cited['license'] == 'Apache-2.0'
  assert {'message', 'title', 'type'} <= set(cited)
