"""Bad input: commands, what is wrong with them, and what each must say."""
import re

from bad_cases import Case
from bad_cases import PHOTOS
from bad_cases import TINY
from bad_cases import opened
from bad_cases import train
import bad_runs
import bad_settings

__all__ = ['ACCEPTED', 'CASES']

_OF_FLAGS = [
    train(TINY, '--nope=1', status=2, words=("flag 'nope'",)),
    train(TINY, '--gin_fil=x', status=2, words=('Did you mean: gin_file?',)),
    train(TINY, 'word', status=2, words=("'word'", 'flags')),
    train(TINY, '--import=', status=2, words=('--import is empty',)),
    train(TINY, '--gin_param=', status=2, words=('--gin_param is empty',)),
    train('--gin_file=', status=2, words=('--gin_file is empty',)),
    Case('train', (TINY,), ('--run_dir must be given',), 2),
    Case('train', ('--run_dir=', TINY), ('--run_dir is empty',), 2),
    Case('train', ('--run_dir=https://a.b/c', TINY), ('of this machine',)),
    Case('train', ('--run_dir=gs://a/b', TINY), ('of this machine',)),
    Case('train', ('--run_dir=~no_such_user/x', TINY), ('the whole path',)),
    Case('train', ('--run_dir=/proc/x', TINY), ('/proc/x',)),
    Case('train', ('--run_dir=/dev/null', TINY), ('/dev/null',)),
    Case('train', ('--run_dir=/tmp/' + 'x' * 300, TINY), ('a shorter name',)),
    Case('train', ('--run_dir=HERE', TINY), ('not a run directory',)),
    train(TINY, '--import=..', words=("'..'", 'name of a module')),
    train(TINY, '--import=no_such_module',
          words=('no_such_module', 'PYTHONPATH')),
    train(TINY, '--import=syntax_error', words=('syntax_error', 'line 1')),
    train(TINY, '--import=another_vae', words=('VAE', 'in full')),
    train(TINY, '--import=mine_one', '--import=mine_two',
          '--gin_param=train.model = @Mine', words=('Mine', 'in full')),
    train(TINY, env={'KERAS_BACKEND': 'jax'},
          words=('KERAS_BACKEND=tensorflow',)),
    train(PHOTOS, env={'PGAK_CACHE': 'HERE/tiny.gin'}, words=('PGAK_CACHE',)),
    train(PHOTOS, env={'PGAK_CACHE': '/proc/x'}, words=('PGAK_CACHE',)),
    train(TINY, '--gin_param=train.strategy = "multi_worker"',
          env={'TF_CONFIG': '{'}, words=('TF_CONFIG',)),
    train(TINY, '--gin_param=train.strategy = "multi_worker"',
          env={'TF_CONFIG': '[]'}, words=('TF_CONFIG',)),
    *(opened(command, f'--{flag}=', status=2, words=(f'--{flag} is empty',))
      for command, flag in (('evaluate', 'prior'), ('evaluate', 'checkpoint'),
                            ('evaluate', 'metrics'), ('sample', 'output'),
                            ('export', 'output'), ('report', 'output'))),
]

_OF_OPENED = [
    opened('evaluate', '--protocol=nope', status=2, words=('nope', 'quick')),
    opened('evaluate', '--protocol=vectors', words=('quick',)),
    opened('evaluate', '--protocol=learned_priors_pairs', words=('quick',)),
    opened('evaluate', '--prior=nope', words=("'nope'", 'gmm')),
    opened('evaluate', '--metrics=nope', words=("'nope'", 'frechet')),
    *(opened('evaluate', f'--checkpoint={step}', words=(step, '[2, 4]'))
      for step in ('²', '-1', '99', '1e3', 'nope', '9' * 30)),
    opened('evaluate', '--checkpoint=best', words=('train.best_by',)),
    opened('evaluate', '--num_samples=1', status=2, words=('num_samples',)),
    opened('evaluate', '--seed=-1', words=('quick.seed = -1',)),
    opened('evaluate', '--prior=gmm', '--gin_param=evaluate.prior = "kde"',
           status=2, words=('--prior', 'evaluate.prior', 'one of them')),
    opened('evaluate', '--num_samples=60', '--gin_param=quick.num_samples = 50',
           status=2, words=('--num_samples', 'one of them')),
    opened('evaluate', '--gin_param=train.steps = 7', words=('train.steps',)),
    opened('evaluate', '--gin_param=rae_quick.num_samples = 5',
           words=('never read',)),
    opened('evaluate', '--gin_param=train.dataset = None',
           words=('binds no train.dataset',)),
    opened('evaluate', '--gin_param=train.dataset = @VAE',
           words=('train.dataset = @VAE', 'a data set, as @mnist does')),
    opened('evaluate', '--gin_param=quick.num_samples = 1',
           words=('2 samples',)),
    opened('evaluate', '--gin_param=quick.split = "nope"',
           words=('nope', 'all')),
    opened('evaluate', '--prior=gmm',
           '--gin_param=GaussianMixture.num_components = 100000',
           words=('set GaussianMixture.num_components to at most',)),
    *(opened('evaluate', f'--gin_param=evaluate.prior = {wrong}',
             words=('evaluate.prior = ', 'must be'))
      for wrong in ('-1', '{}', '([1],)')),
    opened('evaluate', '--prior=gmm', '--gin_param=density.max_latents = 1',
           words=('GaussianMixture.num_components',)),
    opened('evaluate', '--gin_param=Gaussian.latent_dim = 7',
           words=('given by the command',)),
    Case('evaluate', ('--run_dir=/no/such/run',), ('not a run directory',)),
    Case('evaluate', ('--run_dir=HERE',), ('not a run directory',)),
    Case('evaluate', ('--run_dir=HERE/tiny.gin',), ('no run directory',)),
    *(opened('evaluate', '--protocol=fid768_test', f'--inception=HERE/{name}',
             words=(name, '--inception='))
      for name in ('empty.npz', 'binary.npz', 'odd.npz', 'broken.tgz',
                   'other.tgz', 'binary.pb', 'cycle.pb', 'broken.h5',
                   'nope.npz')),
    *(train(TINY, '--gin_param=train.image_error = @PerceptualError()',
            f'--gin_param=PerceptualError.weights = "HERE/{name}"',
            words=(name,))
      for name in ('empty.npz', 'binary.npz', 'odd.npz', 'broken.h5',
                   'binary.pb', 'nope.npz')),
    opened('sample', '--kind=nope', status=2, words=('nope', 'samples|')),
    *(opened('sample', f'--num_samples={n}', status=2, words=('num_samples', n))
      for n in ('0', '-1', '1e3')),
    opened('sample', f'--num_samples={10**20}', words=('sample.num_samples',)),
    opened('sample', '--seed=-1', words=('sample.seed = -1',)),
    opened('sample', f'--seed={10**20}', words=('sample.seed',)),
    opened('sample', '--kind=attribute', words=('--attribute',)),
    opened('sample', '--kind=attribute', '--attribute=nope',
           words=("'nope'", 'label=0')),
    opened('sample', '--kind=ood', words=('--against',)),
    opened('sample', '--kind=ood', '--against=nope', words=("'nope'", 'mnist')),
    opened('sample', '--attribute=label=1', status=2,
           words=('--kind=attribute',)),
    opened('sample', '--space=zT', status=2, words=('--kind=interpolation',)),
    opened('sample', '--kind=samples', '--gin_param=sample.kind = "latents"',
           status=2, words=('--kind', 'one of them')),
    *(Case('sample', ('--run_dir=HERE/run', f'--output={output}'), words)
      for output, words in {
          'NEW/x.gif': ('.png', '.npz'), '/tmp': ('.png', '.npz'),
          'HERE/photos/p0.png': ('exists',), '/proc/x.png': ('/proc/x.png',),
          'https://x/y.png': ('of this machine',),
          '/tmp/' + 'y' * 300 + '.png': ('a shorter name',)}.items()),
    Case('sample', ('--output=NEW/x.png',), ('--run_dir', '--export_dir'), 2),
    Case('sample', ('--export_dir=HERE/export', '--output=NEW/x.png',
                    '--kind=ood'), ('--run_dir',)),
    Case('sample', ('--export_dir=/nope', '--output=NEW/x.png'), ('/nope',)),
    opened('export', '--version=0', status=2, words=('version',)),
    opened('export', '--version=x', status=2, words=('version',)),
    opened('export', '--checkpoint=nope', words=('nope', '[2, 4]')),
    opened('export', '--prior=nope', words=("'nope'", 'gmm')),
    Case('export', ('--run_dir=HERE/run', '--output=/proc/x'), ('/proc/x',)),
    Case('export', ('--run_dir=HERE/run', '--output=HERE/tiny.gin'),
         ('HERE/tiny.gin',)),
    Case('report', (), ('--output must be given',), 2),
    Case('report', ('--output=NEW/x.html',), ('RUN_DIR',), 2),
    Case('report', ('/no/such/run', '--output=NEW/x.html'), ('/no/such/run',)),
    Case('report', ('HERE/photos', '--output=NEW/x.html'), ('HERE/photos',)),
    Case('report', ('HERE/run', '--output=NEW/x.pdf'), ('.html',)),
    Case('report', ('HERE/run', '--output=/proc/x.html'), ('/proc/x.html',)),
    Case('report', ('HERE/run', '--output=https://x/y.html'),
         ('of this machine',)),
]

_SWEEPS = {
    'sweep.cells = 5': ('sweep.cells', '5'),
    'sweep.cells = {}': ('sweep.cells', '{}'),
    '': ('sweep.cells', 'sweep.search', 'must have either'),
    "sweep.cells = {'a': ['nope.gin']}": ('nope.gin',),
    "sweep.cells = {'a': ['models/rea.gin']}":
        ('did you mean models/rae.gin?',),
    "sweep.cells = {'a': ['quickstart.gin', 'VAE.kl = x']}": (
        "'a'", 'a string stands in quotes'),
    "sweep.cells = {'../a': ['quickstart.gin']}": ("'../a'", 'name a folder'),
    "sweep.cells = {'a': ['quickstart.gin']}\nsweep.evaluations = "
    "[{'protocol': 'qick'}]": ("'qick'", 'did you mean quick?'),
    "sweep.cells = {'a': ['quickstart.gin']}\nsweep.evaluations = "
    "[{'protocol': 5}]": ("protocol '5'",),
    "sweep.cells = {'a': ['quickstart.gin']}\nsweep.evaluations = 5": (
        'sweep.evaluations', '5'),
    "sweep.cells = {'a': ['quickstart.gin']}\nsweep.seeds = ['x']": (
        "sweep.seeds = ['x']",),
    "sweep.cells = {'a': ['quickstart.gin']}\nsweep.seeds = []": (
        'sweep.seeds = []',),
    'sweep.cellz = {}': ('did you mean cells?',),
    '[' * 100000: ('x.sweep',),
}
_OF_SWEEPS = [
    Case('sweep', ('--sweep=NEW/x.sweep', '--output_dir=RUN'), words,
         env={'SWEEP': text}) for text, words in _SWEEPS.items()
] + [
    Case('sweep', ('--sweep=nope.sweep', '--output_dir=RUN'), ('nope.sweep',)),
    Case('sweep', ('--sweep=quick.sweep', '--output_dir=/dev/null/x'),
         ('/dev/null/x',)),
    Case('sweep', ('--sweep=quick.sweep', '--output_dir=RUN', '--shard=5'),
         ('--shard=5', 'I/N'), 2),
    Case('sweep', ('--sweep=quick.sweep', '--output_dir=RUN', '--parallel=0'),
         ('parallel',), 2),
    Case('sweep', ('--sweep=quick.sweep', '--output_dir=RUN',
                   '--gin_param=sweep.seeds = [-1]'), ('sweep.seeds',)),
]


CASES = [*bad_settings.CASES, *_OF_FLAGS, *_OF_OPENED, *_OF_SWEEPS,
         *bad_runs.CASES]


# === What is odd and allowed ===


def _says(text):
  return lambda new, result: text in result.out


# A case, why it is allowed, and a function that observes its effect.
ACCEPTED = [
    (train(TINY, '--gin_param=train.steps = 2e0'),
     '1e3 is how many write a thousand',
     lambda new, result: (new / 'run/checkpoints/step-00000002').is_dir()),
    (train(TINY, '--gin_param=VAE.kl = 0'), 'a term of weight 0 is left out',
     lambda new, result: ' kl ' not in result.err + result.out),
    (train('--gin_file=HERE/crlf.gin'), 'a file of Windows',
     lambda new, result: (new / 'run/checkpoints/step-00000004').is_dir()),
    (train('--gin_file=HERE/mark.gin'), 'a file that begins with a mark',
     lambda new, result: (new / 'run/checkpoints/step-00000004').is_dir()),
    (train(TINY, '--gin_param=train.keep_checkpoints = 1e9'), 'all are kept',
     lambda new, result: len(list((new / 'run/checkpoints').iterdir())) == 2),
    (train(TINY, env={'HOME': 'HERE/home'}),
     "keras.json's settings do not reach a command",
     lambda new, result: (new / 'run/checkpoints/step-00000004').is_dir()),
    (opened('evaluate', '--gin_param=evaluate.checkpoint = 2'),
     'a setting in the place of a default',
     lambda new, result: re.search(r'\n +2 ', result.out)),
    (opened('sample', '--gin_param=sample.kind = "latents"'),
     'a setting in the place of a default', _says('Wrote a chart')),
    (opened('report', damage=bad_runs.written('config.json', '[]')),
     'a report says what it could not read', _says('config.json')),
    (opened('evaluate', damage=bad_runs.of_another_type('grids', False)),
     'a picture that cannot be kept is a warning, beside the scores',
     lambda new, result: 'grids' in result.err and 'frechet' in result.out),
    (opened('evaluate', damage=bad_runs.written(
        'scores.csv', bad_runs.SCORES + '"')),
     'half a last row was never whole',
     lambda new, result: 'half a row' in result.err),
]
