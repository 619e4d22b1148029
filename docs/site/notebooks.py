"""A notebook as a page: its text, its code, and its stored outputs."""
import base64
import json

__all__ = ['page']


def page(path):
  """Returns `(Markdown, {file name: bytes})` of a notebook.

  Args:
    path: `pathlib.Path` of the .ipynb file.
  """
  cells = json.loads(path.read_text(encoding='utf-8'))['cells']
  parts, pictures = [], {}
  for i, cell in enumerate(cells):
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown':
      parts.append(source)
    else:
      parts.append(f'```python\n{source}\n```')
      for j, output in enumerate(cell['outputs']):
        parts.append(_output(output, f'{path.stem}_{i}_{j}.png', pictures))
  parts.insert(1, f'The notebook itself: [{path.name}]({path.name}).')
  return '\n\n'.join(filter(None, parts)) + '\n', pictures


def _output(output, name, pictures):
  """Returns one output as Markdown; adds its picture to `pictures`."""
  if output['output_type'] == 'stream':
    return f'```none\n{"".join(output["text"]).rstrip()}\n```'
  data = output.get('data', {})
  if 'image/png' in data:
    pictures[name] = base64.b64decode(data['image/png'])
    return f'![what the cell shows]({name})'
  text = ''.join(data.get('text/plain', ''))
  return f'```none\n{text}\n```' if text else ''
