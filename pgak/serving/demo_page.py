"""The demo page: a Gradio application around a `demo.Demonstration`.

Gradio comes with the extra `demo`. The page counts nobody, asks no other host
for fonts or anything else, and keeps no visitor's picture beyond its end.
"""
import contextlib
import importlib
import importlib.util
import os
import tempfile
import time

from pgak import errors

__all__ = ['HOST', 'build', 'require', 'serve']

HOST = '127.0.0.1'
_FONTS = ['system-ui', 'sans-serif']
_CODE_FONTS = ['ui-monospace', 'monospace']
_CSS = 'img {image-rendering: pixelated}'


def require():
  """Raises UserError if Gradio is not installed."""
  if importlib.util.find_spec('gradio') is None:
    raise errors.UserError(
        'pgak_demo needs Gradio, which is not installed: pip install gradio.')


def _gradio():
  """Returns the package, set to count and to ask nobody."""
  require()
  os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'
  os.environ['HF_HUB_OFFLINE'] = '1'
  return importlib.import_module('gradio')


def build(shown, title):
  """Returns the page, a `gradio.Blocks`.

  Args:
    shown: `demo.Demonstration`.
    title: string.
  """
  gr = _gradio()
  with gr.Blocks(title=title, analytics_enabled=False,
                 delete_cache=(600, 600)) as page:
    gr.Markdown(f'# {title}')
    density = gr.Dropdown(list(shown.densities), value=shown.densities[0],
                          label='Density of the latents')
    with gr.Tab('Samples'):
      _samples(gr, page, shown, density)
    with gr.Tab('Directions'):
      _directions(gr, page, shown, density)
    if shown.has_encoder:
      # One tab, so that a telephone shows the names of all.
      with gr.Tab('Pictures'):
        gr.Markdown('A picture of yours as the model sees it, and its '
                    'reconstruction.')
        _of_pictures(gr, shown.reconstruction, ['Picture'], 'Reconstruction')
        gr.Markdown('The line between the latents of two pictures.')
        _of_pictures(gr, shown.interpolation, ['From', 'To'], 'Interpolation')
  return page


def _samples(gr, page, shown, density):
  number = gr.Slider(1, 64, 16, step=1, label='Images')
  seed = gr.Number(0, label='Seed', precision=0)
  picture = _picture(gr, 'New images')
  inputs = [density, number, seed]
  again = gr.Button('Others')
  again.click(lambda value: int(value or 0) + 1, seed, seed)
  gr.on([page.load, density.change, number.release, seed.change],
        _told(gr, shown.samples), inputs, picture, api_name='samples')


def _directions(gr, page, shown, density):
  gr.Markdown('Each slider moves the mean latent along a principal direction '
              'of the density, in standard deviations.')
  picture = _picture(gr, 'The image there')
  sliders = [gr.Slider(-3, 3, 0, step=0.1, label=f'Direction {i + 1}')
             for i in range(shown.number_of_directions())]
  back = gr.Button('Back to the mean')
  back.click(lambda: [0.] * len(sliders), None, sliders)
  gr.on([page.load, density.change, *(s.change for s in sliders)],
        _told(gr, lambda name, *offsets: shown.moved(name, offsets)),
        [density, *sliders], picture, trigger_mode='always_last',
        api_name='directions')


def _of_pictures(gr, function, labels, answer):
  with gr.Row():
    inputs = [gr.Image(type='filepath', label=label, sources=['upload'],
                       height=180) for label in labels]
  picture = _picture(gr, answer)
  gr.on([i.upload for i in inputs],
        lambda *paths: _told(gr, function)(*paths) if all(paths) else None,
        inputs, picture, api_name=answer.lower())


def _picture(gr, label):
  # A label would lie on the picture.
  return gr.Image(label=label, show_label=False, format='png',
                  interactive=False, buttons=['download', 'fullscreen'])


def _told(gr, function):
  """Returns a function whose errors of a user are shown on the page."""

  def call(*arguments):
    try:
      picture = function(*arguments)
      # Gradio takes grey pictures without a dimension for it.
      return picture[..., 0] if picture.shape[-1] == 1 else picture
    except errors.UserError as e:
      raise gr.Error(str(e)) from e

  return call


def serve(shown, title, host=HOST, port=7860, wait=True):
  """Serves the page until the process is interrupted.

  Args:
    shown: `demo.Demonstration`.
    title: string.
    host: address to listen on; only this machine's by default.
    port: int; if it is taken, an error says so.
    wait: whether to block.

  Returns:
    What ends the page by its method `close`, if it does not wait.

  Raises:
    errors.UserError: if the port is not available, or Gradio is not installed.
  """
  # Gradio keeps pictures in a folder, which it asks for when it is imported:
  # one of this page alone, gone with it.
  with contextlib.ExitStack() as stack:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    os.environ['GRADIO_TEMP_DIR'] = folder
    gr = _gradio()
    page = build(shown, title)
    theme = gr.themes.Default(font=_FONTS, font_mono=_CODE_FONTS)
    try:
      page.launch(server_name=host, server_port=port, share=False, quiet=True,
                  prevent_thread_lock=True, ssr_mode=False, theme=theme,
                  css=_CSS, footer_links=[])
    except OSError as e:
      raise errors.UserError(
          f'The port {port} of {host} is not available: choose another --port.'
      ) from e
    stack.callback(page.close, verbose=False)
    if not wait:
      return stack.pop_all()
    print(f'Open http://{host}:{port}; Ctrl-C ends it.', flush=True)
    while True:
      time.sleep(3600)
