"""Where the cache folder is."""
from pgak import files


def test_the_environment_names_it_and_it_is_made(monkeypatch, tmp_path):
  folder = tmp_path / 'a' / 'b'
  monkeypatch.setenv('PGAK_CACHE', str(folder))
  assert files.cache_directory() == folder
  assert folder.is_dir()
  assert files.cache_directory() == folder


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
  monkeypatch.setenv('HOME', str(tmp_path))
  monkeypatch.setenv('PGAK_CACHE', '~/kept')
  assert files.cache_directory() == tmp_path / 'kept'


def test_by_default_it_is_in_the_home_folder(monkeypatch, tmp_path):
  monkeypatch.setenv('HOME', str(tmp_path))
  monkeypatch.delenv('PGAK_CACHE', raising=False)
  assert files.cache_directory() == tmp_path / '.cache' / 'pgak'


def test_an_empty_variable_is_none(monkeypatch, tmp_path):
  monkeypatch.setenv('HOME', str(tmp_path))
  monkeypatch.setenv('PGAK_CACHE', '')
  assert files.cache_directory() == tmp_path / '.cache' / 'pgak'
