"""Tests of the files that drawings are written to."""
import numpy as np
import pytest

from pgak import errors
from pgak.generation import drawn
from pgak.pictures import png


@pytest.mark.parametrize('channels', [1, 3])
def test_a_folder_holds_what_programs_for_an_fid_read(tmp_path, channels):
  images = np.random.RandomState(0).randint(
      0, 256, [3, 4, 5, channels], dtype=np.uint8)
  output = f'{tmp_path}/new/'
  drawn.check_output(output, 'samples', ['samples'])
  drawn.write(output, drawn.Drawn({'images': images}))
  names = sorted(path.name for path in (tmp_path / 'new').iterdir())
  assert names == ['000000.png', '000001.png', '000002.png', 'images.npz']
  colour = np.broadcast_to(images, [3, 4, 5, 3])
  with np.load(tmp_path / 'new' / 'images.npz') as file:
    np.testing.assert_array_equal(file['arr_0'], colour)
  content = (tmp_path / 'new' / '000002.png').read_bytes()
  np.testing.assert_array_equal(png.decode(content), colour[2])
  # Fewer images replace them all.
  with pytest.raises(errors.UserError, match='--overwrite'):
    drawn.check_output(output, 'samples', ['samples'])
  drawn.check_output(output, 'samples', ['samples'], overwrite=True)
  drawn.write(output, drawn.Drawn({'images': images[:1]}))
  assert len(list((tmp_path / 'new').iterdir())) == 2


@pytest.mark.parametrize('output', ['mine/', 'mine.png'])
def test_a_folder_of_other_files_is_never_replaced(tmp_path, output):
  (tmp_path / output).mkdir()
  (tmp_path / output / 'photo.png').write_bytes(b'mine')
  with pytest.raises(errors.UserError, match='other files'):
    drawn.check_output(f'{tmp_path}/{output}', 'samples', ['samples'], True)


def test_a_folder_is_for_images(tmp_path):
  vectors = drawn.Drawn({'images': np.zeros([3, 4], np.float32)})
  with pytest.raises(errors.UserError, match='.npz instead'):
    drawn.write(f'{tmp_path}/new/', vectors)
  assert not (tmp_path / 'new').exists()
  for kind in ('latents', 'paths', 'ood'):
    with pytest.raises(errors.UserError, match='.npz instead'):
      drawn.check_output(f'{tmp_path}/new/', kind, [kind])
