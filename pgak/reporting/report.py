"""Reads runs and writes the report: one page, and Markdown with pictures."""
import contextlib
import zipfile

from pgak import errors
from pgak import files
from pgak import settings
from pgak.reporting import contents
from pgak.reporting import finding
from pgak.reporting import pages
from pgak.reporting import runs as runs_lib

__all__ = ['write_report']

TITLE = 'Runs compared'
# In the folder of the pictures, which may outlive the page that shows them.
_MARK = 'about.txt'


@settings.several('paths', 'imports')
def write_report(output, paths, with_latents=True, data_dir=None,
                 imports=(), overwrite=False):
  """Writes a report of runs.

  It replaces gin's present configuration and then clears it.

  Args:
    output: path of the HTML page, `X.html`; `X.md` and its pictures in
      `X_files/` are written beside it. What an earlier report wrote there is
      replaced.
    paths: run directories, or folders that hold some at any depth; or one.
    with_latents: whether to load each model and its data for a picture of its
      latents.
    data_dir: folder of TensorFlow Datasets instead of the runs', or None.
    imports: modules that the runs were trained with, which the user trusts.
    overwrite: whether files that no report wrote are replaced, too.

  Returns:
    Sentences on what is missing or damaged in the runs.

  Raises:
    errors.UserError: if there is no run, or the files cannot be written.
  """
  page = files.local(output)
  _check(page, overwrite)
  _refuse_packed(paths)
  found, notes = finding.find(paths)
  cells = runs_lib.cells([runs_lib.read(path) for path in found])
  sections = contents.sections(cells, with_latents, data_dir, imports)
  intro = contents.introduction(cells, notes)
  folder = _folder(page)
  try:
    _write(page, {
        page: pages.to_html(TITLE, intro, sections),
        page.with_suffix('.md'): pages.to_markdown(
            TITLE, intro, sections, folder.name)}, pages.files(sections))
  except OSError as e:
    raise errors.UserError(
        f'{output} cannot be written ({e.strerror}): choose another --output.'
    ) from e
  return notes + [f'{run.path}: {problem}' for cell in cells
                  for run in cell.runs for problem in run.problems]


def _refuse_packed(paths):
  for path in map(files.local, paths):
    if path.is_file() and zipfile.is_zipfile(path):
      raise errors.UserError(
          f'{path} is a packed run, and a report is of run directories: make '
          f'one by `unzip {path} -d {path.stem}`, and give {path.stem}.')


def _folder(page):
  return page.with_name(f'{page.stem}_files')


def _check(page, overwrite):
  """Refuses a path where something is that no report wrote."""
  if page.suffix != '.html':
    raise errors.UserError(f'{page} must end with .html: the page of the '
                           'report.')
  for path in (page, page.with_suffix('.md')):
    if path.exists() and not _is_ours(path) and not (
        overwrite and path.is_file()):
      raise errors.UserError(
          f'{path} exists and is no report: give --overwrite, choose another '
          '--output, or move it away.')
  folder = _folder(page)
  if folder.exists() and not any(map(_is_ours, (
      folder / _MARK, page, page.with_suffix('.md')))):
    raise errors.UserError(
        f'{folder} exists and belongs to no report: choose another --output, '
        'or move it away.')


def _is_ours(path):
  try:
    with open(path, 'rb') as file:
      return pages.MARKER.encode() in file.read(1000)
  except OSError:
    return False


def _write(page, texts, pictures):
  """Writes all beside its place first, then puts it there."""
  with contextlib.ExitStack() as stack:
    folder = stack.enter_context(files.replacing(_folder(page)))
    folder.mkdir()
    (folder / _MARK).write_text(f'{pages.MARKER}: its pictures.\n')
    for name, content in pictures.items():
      (folder / name).write_bytes(content)
    for path, text in texts.items():
      part = stack.enter_context(files.replacing(path))
      part.write_text(text, encoding='utf-8')
