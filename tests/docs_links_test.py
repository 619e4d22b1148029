"""Each link of the documentation to a file of the project leads to one."""
import links
import pages
import pytest

AT_TOP = ('README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'MODEL_CARD.md')
FILES = [*AT_TOP, *(f'docs/{name}' for name in pages.every()
                    if not name.startswith('..'))]


@pytest.mark.parametrize('path', FILES)
def test_every_link_leads_somewhere(path):
  text = (links.ROOT / path).read_text(encoding='utf-8')
  missing = {link: target for link, target in links.targets(text, path).items()
             if not (links.ROOT / target).exists()}
  assert not missing


def test_links_become_those_of_the_site():
  text = ('[a](docs/data.md#labels), [b](LICENSE), [c](https://a.b/c.md), '
          '[d](CONTRIBUTING.md)\n\n```sh\n[a](docs/data.md)\n```\n')
  assert links.rewritten(text, 'index.md') == (
      '[a](data.md#labels), [b](source/LICENSE.txt), [c](https://a.b/c.md), '
      '[d](contributing.md)\n\n```sh\n[a](docs/data.md)\n```\n')
  assert links.rewritten('[a](../../pgak/files.py)', 'papers/pga.md') == (
      '[a](../source/pgak/files.py.txt)')
