"""Every flag of every command reaches what it sets.

The function that does a command's work is replaced by one that writes down what
it was called with, and what gin is bound to by then. A flag without a line in
its command's table fails a test, so that none can be dropped.
"""
import flag_tables
import gin
import pytest
import tiny_commands

from pgak import evaluation
from pgak import functions
from pgak import registry
from pgak import reporting
from pgak.bin import demo
from pgak.bin import encode
from pgak.bin import evaluate
from pgak.bin import export
from pgak.bin import pack
from pgak.bin import report
from pgak.bin import sample
from pgak.data import pixels
from pgak.generation import drawing
from pgak.runs import configuration
from pgak.runs import own_data
from pgak.runs import run_directory
from pgak.serving import demo as demo_lib
from pgak.serving import demo_page
from pgak.serving import exporting
from pgak.serving import pictures

registry.register()


@pytest.fixture(name='run_dir')
def _run_dir(tmp_path):
  """A run of MNIST that has begun: the data set that reads `data_dir`."""
  configuration.parse(['quickstart.gin', 'datasets/mnist.gin'])
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config(gin.config_str(), {'imports': [], 'seed': 0})
  gin.clear_config()
  return run.path


# What a run may import is tried by trust_test.py.
IMPORT = ['import']

# === evaluate ===

EVALUATE = {
    'run_dir': (None, None, None),
    'gin_param': ('classifier.steps = 9', 'classifier.steps', 9),
    'data_dir': ('prepared', '%data_dir', 'prepared'),
    'checkpoint': ('best', 'evaluate.checkpoint', 'best'),
    'protocol': ('fid768_test', 'evaluate.protocol', 'fid768_test'),
    'prior': ('gmm,kde', 'evaluate.prior', ['gmm', 'kde']),
    'metrics': ('prd,kid', 'evaluate.metrics', ['prd', 'kid']),
    'features': ('random,a/b', 'evaluate.features', ['random', 'a/b']),
    'num_samples': (77, 'quick.num_samples', 77),
    'seed': (5, 'quick.seed', 5),
    'latents': ('true', 'evaluate.latents', True),
    'output': ('it.csv', 'evaluate.output', 'it.csv'),
    'inception': ('w.npz', 'inception.weights', 'w.npz'),
}


@pytest.mark.parametrize('flag', EVALUATE)
def test_flags_of_evaluate(run_dir, capsys, monkeypatch, flag):
  flag_tables.check_table(evaluate, EVALUATE, IMPORT, ['json'])
  value, name, expected = EVALUATE[flag]
  recorder = flag_tables.Recorder([n for _, n, _ in EVALUATE.values() if n], [])
  monkeypatch.setattr(evaluation, 'evaluate', recorder)
  monkeypatch.setattr(evaluation, 'format_table', lambda rows: 'the table')
  more = [] if flag == 'run_dir' else [f'--{flag}={value}']
  out = flag_tables.call(evaluate, capsys, f'--run_dir={run_dir}', *more)
  assert recorder.calls == [((str(run_dir),), {})] and 'the table' in out
  assert flag == 'run_dir' or recorder.bound[name] == expected


def test_numbers_of_evaluate_are_those_of_its_protocol(
    run_dir, capsys, monkeypatch):
  recorder = flag_tables.Recorder(['rae_quick.num_samples', 'rae_quick.seed',
                       'quick.num_samples'], [])
  monkeypatch.setattr(evaluation, 'evaluate', recorder)
  monkeypatch.setattr(evaluation, 'format_table', str)
  flag_tables.call(
      evaluate, capsys, f'--run_dir={run_dir}', '--protocol=rae_quick',
      '--num_samples=77', '--seed=5')
  assert recorder.bound == {'rae_quick.num_samples': 77, 'rae_quick.seed': 5}


def test_a_protocol_that_a_setting_names_is_the_one_that_is_read(
    run_dir, capsys, monkeypatch):
  names = ['vectors.num_samples', 'GaussianMixture.num_components']
  recorder = flag_tables.Recorder(names, [])
  monkeypatch.setattr(evaluation, 'evaluate', recorder)
  monkeypatch.setattr(evaluation, 'format_table', str)
  named = '--gin_param=evaluate.protocol = "vectors"'
  flag_tables.call(evaluate, capsys, f'--run_dir={run_dir}', named,
                   '--gin_param=vectors.num_samples = 77')
  assert recorder.bound['vectors.num_samples'] == 77
  for flag in ('--num_samples=77', '--seed=0'):
    result = tiny_commands.refused(
        evaluate, capsys, f'--run_dir={run_dir}', named, flag, status=2)
    assert 'give --protocol, or bind' in result


# === Densities ===


@pytest.mark.parametrize('binary, module, name, more', [
    (sample, drawing, 'sample', ['--output=a.npz']),
    (export, exporting, 'export', [])])
def test_a_density_is_read_whichever_way_it_is_chosen(
    run_dir, capsys, monkeypatch, binary, module, name, more):
  of_density = 'GaussianMixture.num_components'
  recorder = flag_tables.Recorder([of_density, 'density.round_trips'])
  monkeypatch.setattr(module, name, recorder)
  for flags in (['--prior=gmm'], [f'--gin_param={name}.prior = "gmm"']):
    flag_tables.call(binary, capsys, f'--run_dir={run_dir}', *more, *flags,
                     f'--gin_param={of_density} = 3')
    assert recorder.bound.pop(of_density) == 3
  # The model's own may make round trips.
  flag_tables.call(binary, capsys, f'--run_dir={run_dir}', *more,
                   '--gin_param=density.round_trips = 2')
  assert recorder.bound['density.round_trips'] == 2


# === export ===

EXPORT = {
    'run_dir': (None, None, None),
    'gin_param': ('export.max_count = 9', 'export.max_count', 9),
    'data_dir': ('prepared', '%data_dir', 'prepared'),
    'output': ('place', 'export.output', 'place'),
    'version': (4, 'export.version', 4),
    'checkpoint': ('best', 'export.checkpoint', 'best'),
    'prior': ('gmm', 'export.prior', 'gmm'),
    'precision': ('bfloat16', 'export.precision', 'bfloat16'),
    'xla': ('true', 'export.xla', True),
    'verify': ('false', 'export.verified', False),
    'overwrite': ('true', 'export.overwrite', True),
    'format': ('onnx', 'export.format', 'onnx'),
}


@pytest.mark.parametrize('flag', EXPORT)
def test_flags_of_export(run_dir, capsys, monkeypatch, flag):
  flag_tables.check_table(export, EXPORT, IMPORT)
  value, name, expected = EXPORT[flag]
  recorder = flag_tables.Recorder([n for _, n, _ in EXPORT.values() if n], 'it')
  monkeypatch.setattr(exporting, 'export', recorder)
  more = [] if flag == 'run_dir' else [f'--{flag}={value}']
  more += ['--version=4'] if flag == 'overwrite' else []
  out = flag_tables.call(export, capsys, f'--run_dir={run_dir}', *more)
  assert recorder.calls == [((str(run_dir),), {})]
  assert 'Exported to it.' in out
  assert flag == 'run_dir' or recorder.bound[name] == expected
  assert recorder.bound['export.verified'] == (flag != 'verify')


def test_what_export_is_bound_to_reaches_the_writer(monkeypatch, tmp_path):
  run = run_directory.RunDirectory(tmp_path / 'run', create=True)
  run.write_config('', {'data': {'name': 'made', 'preprocessing': {
      'crop': 5, 'antialias': False}}})

  class Model:
    image_shape, optimizers = (8, 8, 1), {}

  loaded = flag_tables.Recorder(answer=Model)
  written = flag_tables.Recorder(answer='it')
  monkeypatch.setattr(exporting.checkpoints, 'load_configured', loaded)
  monkeypatch.setattr(exporting, 'export_model', written)
  gin.parse_config([f'export.output = {str(tmp_path / "o")!r}',
                    'export.version = 4', 'export.checkpoint = 3',
                    'export.prior = "gmm"', 'export.max_count = 9',
                    'export.precision = "bfloat16"', 'export.xla = True',
                    'export.verified = False'])
  assert exporting.export(run.path) == 'it'
  (_, checkpoint, prior), = (arguments for arguments, _ in loaded.calls)
  assert (checkpoint, prior) == (3, 'gmm')
  (arguments, named), = written.calls
  assert arguments == (Model, tmp_path / 'o', 4, 9)
  assert named == dict(
      crop=5, antialias=False, resize='bicubic', background=pixels.WHITE,
      precision='bfloat16', xla=True, verified=False, overwrite=False,
      provenance={'ema': False, 'dataset': run.config['data']})


# === demo ===

DEMO = {
    'run_dir': (None, None, None),
    'gin_param': ('gmm.num_components = 3', None, None),
    'data_dir': ('prepared', '%data_dir', 'prepared'),
    'checkpoint': ('best', None, None),
    'prior': ('gmm', None, None),
    'host': ('0.0.0.0', None, None),
    'port': (8000, None, None),
}
DEMO_EXPORT = {'export_dir': 'there'}


@pytest.mark.parametrize('flag', DEMO)
def test_flags_of_demo(run_dir, capsys, monkeypatch, flag):
  flag_tables.check_table(demo, DEMO, DEMO_EXPORT, IMPORT)
  given = {'checkpoint': 'latest', 'prior': None, 'host': '127.0.0.1',
           'port': 7860} | {flag: DEMO[flag][0]}
  name = 'GaussianMixture.num_components'
  opened = flag_tables.Recorder(['%data_dir', name], 'the model')
  served = flag_tables.Recorder()
  monkeypatch.setattr(demo_page, 'require', lambda: None)
  monkeypatch.setattr(demo_page, 'serve', served)
  monkeypatch.setattr(demo_lib, 'of_run', opened)
  more = [] if flag == 'run_dir' else [
      f'--gin_param={name} = 3' if flag == 'gin_param'
      else f'--{flag}={DEMO[flag][0]}']
  flag_tables.call(demo, capsys, f'--run_dir={run_dir}', *more)
  assert opened.calls == [
      ((str(run_dir), given['checkpoint'], given['prior']), {})]
  assert served.calls == [
      (('the model', 'run', given['host'], given['port']), {})]
  if flag == 'data_dir':
    assert opened.bound['%data_dir'] == 'prepared'
  if flag == 'gin_param':
    assert opened.bound[name] == 3


def test_demo_of_an_export(capsys, monkeypatch):
  served = flag_tables.Recorder()
  monkeypatch.setattr(demo_page, 'require', lambda: None)
  monkeypatch.setattr(demo_page, 'serve', served)
  monkeypatch.setattr(demo_lib, 'of_export', lambda path: f'of {path}')
  flag_tables.call(demo, capsys, '--export_dir=there')
  assert served.calls == [(('of there', 'there', '127.0.0.1', 7860), {})]
  for flags in ([], ['--run_dir=a', '--export_dir=b'],
                ['--export_dir=b', '--prior=gmm']):
    tiny_commands.refused(demo, capsys, *flags, status=2)


# === sample ===

SAMPLE = {
    'run_dir': (None, None, None),
    'output': (None, None, None),
    'gin_param': ('sample.strength = 2.', 'sample.strength', '2.0'),
    'data_dir': ('prepared', '%data_dir', 'prepared'),
    'kind': ('paths', 'sample.kind', 'paths'),
    'num_samples': (7, 'sample.num_samples', 7),
    'seed': (5, 'sample.seed', 5),
    'checkpoint': ('best', 'sample.checkpoint', 'best'),
    'prior': ('gmm', 'sample.prior', 'gmm'),
    'label': (7, 'sample.label', 7),
    'attributes': ('Smiling,Male=0', 'sample.attributes', 'Smiling,Male=0'),
    'space': ('z0', 'sample.space', 'z0'),
    'attribute': ('label=3', 'sample.attribute', 'label=3'),
    'against': ('synthetic', 'sample.against', '@against/synthetic'),
    'line': ('spherical', 'sample.line', 'spherical'),
    'split': ('train', 'train.validation_split', 'train'),
    'overwrite': ('true', 'sample.overwrite', True),
}
SAMPLE_EXPORT = {'export_dir': 'there', 'output': 'a.npz',
                 'kind': 'samples', 'num_samples': 7, 'seed': 5,
                 'overwrite': True, 'label': 7, 'attributes': 'Smiling'}
# A flag that belongs to a kind is given with it.
KIND_OF = {'space': 'interpolation', 'attribute': 'attribute', 'against': 'ood',
           'line': 'interpolation', 'split': 'interpolation'}


@pytest.mark.parametrize('flag', SAMPLE)
def test_flags_of_sample(run_dir, capsys, monkeypatch, flag):
  flag_tables.check_table(sample, SAMPLE, SAMPLE_EXPORT, IMPORT, ['data'])
  value, name, expected = SAMPLE[flag]
  recorder = flag_tables.Recorder([n for _, n, _ in SAMPLE.values() if n])
  monkeypatch.setattr(drawing, 'sample', recorder)
  more = [] if name is None else [f'--{flag}={value}']
  if flag in KIND_OF:
    more.append(f'--kind={KIND_OF[flag]}')
  flag_tables.call(
      sample, capsys, f'--run_dir={run_dir}', '--output=a.npz', *more)
  (arguments, named), = recorder.calls
  assert arguments == (str(run_dir), 'a.npz')
  assert (named['data'] is None) == (flag != 'split')
  assert name is None or recorder.bound[name] == expected


def test_flags_of_sample_with_an_export(capsys, monkeypatch):
  recorder = flag_tables.Recorder()
  monkeypatch.setattr(pictures, 'sample_export', recorder)
  flag_tables.call(
      sample, capsys, *(f'--{f}={v}' for f, v in SAMPLE_EXPORT.items()))
  assert recorder.calls == [(tuple(SAMPLE_EXPORT.values()), {})]


OF_A_RUN = ['--checkpoint=best', '--gin_param=gmm.num_components = 3',
            '--import=mine', '--data_dir=there']


@pytest.mark.parametrize('flag', OF_A_RUN)
@pytest.mark.parametrize('binary, more', [
    (sample, ['--output=a.npz']), (demo, [])])
def test_an_export_takes_no_flag_of_a_run(capsys, binary, more, flag):
  said = tiny_commands.refused(
      binary, capsys, '--export_dir=there', *more, flag, status=2)
  assert f'give --run_dir for {flag.partition("=")[0]}' in said


def test_data_of_sample_reach_the_drawing(run_dir, capsys, monkeypatch):
  recorder, opener = flag_tables.Recorder(), flag_tables.Recorder(answer='it')
  monkeypatch.setattr(drawing, 'sample', recorder)
  monkeypatch.setattr(own_data, 'split_opener', opener)
  flag_tables.call(sample, capsys, f'--run_dir={run_dir}', '--output=a.npz',
                   '--data=photos/', '--kind=reconstruction', '--split=test',
                   '--data_dir=there')
  assert recorder.calls == [((str(run_dir), 'a.npz'), {'data': 'it'})]
  (value, run, *rest), _ = opener.calls[0]
  assert (value, rest) == ('photos/', ['there', 'test'])
  assert run.path == run_dir


def test_a_damaged_run_that_is_shown_other_data_is_one_sentence(
    run_dir, capsys):
  (run_dir / 'config.gin').write_text('train.batch_size = [')
  said = tiny_commands.refused(
      sample, capsys, f'--run_dir={run_dir}', '--output=a.npz',
      '--data=digits', '--kind=reconstruction')
  assert 'config.gin is damaged' in said


# === encode ===

ENCODE = {
    'run_dir': 'run', 'data': 'photos/', 'output': 'it.npz', 'overwrite': True,
    'checkpoint': 'best', 'prior': 'gmm', 'data_dir': 'there',
    'gin_param': ['a.b = 1'], 'import': ['mine']}


def test_flags_of_encode(capsys, monkeypatch):
  # What an export encodes is in tests/serving/encoding_test.py.
  flag_tables.check_table(encode, ENCODE, ['export_dir'])
  recorder = flag_tables.Recorder()
  monkeypatch.setattr(functions, 'encode', recorder)
  flag_tables.call(encode, capsys, *(
      f'--{f}={v[0] if isinstance(v, list) else v}' for f, v in ENCODE.items()))
  named = {flag: value for flag, value in ENCODE.items()
           if flag not in ('run_dir', 'data', 'output', 'import')}
  assert recorder.calls == [(('run', 'photos/', 'it.npz'),
                             named | {'imports': ['mine']})]


# === pack ===


def test_flags_of_pack(capsys, monkeypatch):
  given = {'run_dir': 'run', 'output': 'me.zip', 'checkpoint': 'best',
           'overwrite': True}
  flag_tables.check_table(pack, given)
  recorder = flag_tables.Recorder()
  monkeypatch.setattr(functions, 'pack', recorder)
  flag_tables.call(pack, capsys, *(f'--{f}={v}' for f, v in given.items()))
  assert recorder.calls == [(('run', 'me.zip'), {
      'checkpoint': 'best', 'overwrite': True})]


# === report ===


@pytest.mark.parametrize('flag, value, expected', [
    ('output', None, (True, None, [], False)),
    ('latents', 'false', (False, None, [], False)),
    ('data_dir', 'prepared', (True, 'prepared', [], False)),
    ('overwrite', 'true', (True, None, [], True)),
    ('import', 'mine', (True, None, ['mine'], False))])
def test_flags_of_report(capsys, monkeypatch, flag, value, expected):
  flag_tables.check_table(report, ['output', 'latents', 'data_dir', 'import',
                       'overwrite'])
  recorder = flag_tables.Recorder(answer=[])
  monkeypatch.setattr(reporting, 'write_report', recorder)
  more = [f'--{flag}={value}'] if value else []
  flag_tables.call(report, capsys, '--output=a.html', 'one', *more, 'two')
  assert recorder.calls == [(('a.html', ['one', 'two'], *expected), {})]
