"""Bad input: commands, what is wrong with them, and what each must say.

A table's line is a `Case`. In its flags and words, RUN is a new run directory,
HERE a folder of prepared files (see `bad_files.make`), and NEW a folder of the
case's own. A case whose `damage` is a function gets a copy of the run in HERE,
which it damages, at DAMAGED.
"""
import json
import re
import shutil
from typing import Callable, NamedTuple

import wrong_settings

__all__ = ['ACCEPTED', 'CASES', 'Case']


class Case(NamedTuple):
  """A command, its flags, and the words that its sentence must have."""
  command: str
  flags: tuple
  words: tuple = ()
  status: int = 1
  env: dict = {}
  damage: Callable | None = None


TINY = '--gin_file=HERE/tiny.gin'
PHOTOS = '--gin_file=HERE/photos.gin'


def train(*flags, words=(), **options):
  return Case('train', ('--run_dir=RUN', *flags), words, **options)


def bound(files, table):
  """Cases of train with a binding each: `{binding: words}`."""
  return [train(*files, f'--gin_param={binding}',
                words=(words,) if isinstance(words, str) else words)
          for binding, words in table.items()]


def opened(command, *flags, words=(), **options):
  """A case of a command on the run in HERE, or on its damaged copy."""
  run = 'DAMAGED' if options.get('damage') else 'HERE/run'
  more = {'sample': ('--output=NEW/x.png',), 'export': ('--output=NEW/e',)}
  if command == 'report':
    return Case(command, (run, '--output=NEW/x.html', *flags), words, **options)
  if command == 'train':
    return Case(command, (f'--run_dir={run}', TINY,
                          '--gin_param=train.steps = 6', *flags), words,
                **options)
  return Case(command, (f'--run_dir={run}', *more.get(command, ()), *flags),
              words, **options)


# === Settings of each type, in real commands ===

_EVALUATE = ('Gaussian GaussianMixture BayesianGaussianMixture KernelDensity '
             'RealNVP TwoStageVAE FlowMatching quick classifier density '
             'evaluate').split()
_PRIORS = {'Gaussian': 'gaussian', 'GaussianMixture': 'gmm',
           'BayesianGaussianMixture': 'bayesian_gmm', 'KernelDensity': 'kde',
           'RealNVP': 'real_nvp', 'TwoStageVAE': 'two_stage',
           'FlowMatching': 'flow_matching', 'density': 'gmm'}
_TRAIN = {
    'train': (TINY,), 'sgd': (TINY,), 'VAE': (TINY,), 'encoder': (TINY,),
    'decoder': (TINY,), 'conv_digits_encoder': (TINY,),
    'conv_digits_decoder': (TINY,),
    'adam': (TINY, '--gin_param=train.optimizer = @adam'),
    'cosine': (TINY, '--gin_param=train.learning_rate_schedule = @cosine()'),
    'straight':
        (TINY, '--gin_param=train.learning_rate_schedule = @straight()'),
    'linear': (TINY, '--gin_param=VAE.kl = @linear()'),
    'switch_on': (TINY, '--gin_param=VAE.kl = @switch_on()'),
    'augmenter': (TINY, '--gin_param=train.augmenter = @augmenter()'),
    'images': (PHOTOS,),
    'synthetic': (TINY, '--gin_param=train.dataset = @synthetic'),
    'swiss_roll': (TINY, '--gin_param=train.dataset = @swiss_roll'),
    'LPGA': (TINY, '--gin_file=models/lpga.gin'),
    'RAEGP': (TINY, '--gin_file=models/rae_gp.gin'),
    'FPVAE': (TINY, '--gin_file=models/fp_vae.gin'),
    'FlowPrior': (TINY, '--gin_file=models/fp_vae.gin'),
    'latent_critic': (TINY, '--gin_file=models/aae.gin'),
    'LatentGenerator': (TINY, '--gin_file=models/prior_aae.gin'),
}


# What the commands' own flags or files set.
_ELSEWHERE = (('export', 'output'), ('encoder', 'log_variance'))


def _of_settings():
  """A wrong value for each setting of the commands and of what they use."""
  tensors = ('images', 'latents', 'points')
  for i, (_, function, argument, annotation) in enumerate(
      wrong_settings.of_all()):
    if argument in tensors or (function, argument) in _ELSEWHERE:
      continue
    wrong = wrong_settings.wrong_values(annotation)
    value = wrong[i % len(wrong)]
    flag = f'--gin_param={function}.{argument} = {value}'
    words = (f'{function}.{argument} = ', 'must be')
    if function in _TRAIN:
      yield train(*_TRAIN[function], flag, words=words)
    elif function in _EVALUATE:
      prior = _PRIORS.get(function)
      yield opened('evaluate', *([f'--prior={prior}'] if prior else ()), flag,
                   words=words)
    elif function in ('sample', 'export'):
      yield opened(function, flag, words=words)


# === Bindings of train ===

_BINDINGS = {
    # References.
    'train.model = @digits': 'train.model = @digits` makes',
    'train.model = @VAE()':
        'must be a reference without brackets, such as @VAE',
    'train.model = @vae': 'did you mean VAE?',
    'train.model = VAE': ('a string stands in quotes', 'did you mean @VAE?'),
    'train.model = "VAE"': "train.model = 'VAE'` must be a reference",
    'train.dataset = @VAE': 'train.dataset = @VAE` makes',
    'train.dataset = @digits()': 'such as @mnist',
    'train.dataset = None': 'train.dataset = None` must be a reference',
    'train.dataset = "digits"': "train.dataset = 'digits'` must be a reference",
    'train.dataset = @images': ('images.path', 'images.image_shape', 'not set'),
    'train.dataset = @pairs': ('pairs.source', 'pairs.path'),
    'train.optimizer = @digits': 'it must make a Keras optimizer, as @adam',
    'train.optimizer = @cosine': 'it must make a Keras optimizer, as @adam',
    'train.optimizers = {"nope": @sgd}':
        ('train.optimizers', 'encoder, decoder'),
    'train.optimizers = {"encoder": @digits}': "train.optimizers['encoder']",
    'train.learning_rate_schedule = @cosine': 'such as @cosine()',
    'train.learning_rate_schedule = 0.5': 'such as @cosine()',
    'train.augmenter = @augmenter': 'such as @augmenter()',
    'train.augmenter = @cosine()': 'such as @augmenter()',
    'train.image_error = @PerceptualError': 'such as @PerceptualError()',
    'train.image_error = @cosine()': 'such as @PerceptualError()',
    'VAE.kl = @cosine()': 'such as @linear()',
    'VAE.kl = @linear': 'such as @linear()',
    'VAE.kl = @linear()': ('linear.start', 'linear.last_step', 'not set'),
    'VAE.encoder = @gaussian/encoder': '@encoder() or @decoder() with brackets',
    'VAE.encoder = None': 'VAE.encoder = None` must be a network',
    'VAE.encoder = @digits()': 'VAE.encoder = <Dataset>` must be a network',
    'VAE.encoder = @encoder()': 'encoder.log_variance = True',
    'gaussian/encoder.log_variance = False': 'encoder.log_variance = True',
    'VAE.decoder = @encoder()': 'bind the same',
    'encoder.network = @digits': 'encoder.network = @digits` does not take',
    'encoder.network = @VAE': 'must be a network',
    'decoder.network = @conv_digits_encoder':
        ('cannot take (3,)', '--gin_file'),
    'encoder.network = @sngan_encoder': ('cannot take (8, 8, 1)', '--gin_file'),
    # The update table.
    'VAE.updates = {}': 'VAE.updates = {}` must be rows of the update table',
    'VAE.updates = {"kl": ()}': 'must be rows of the update table',
    'VAE.updates = {"kl": ("nope",)}':
        ("'kl' updates ('nope',)", 'decoder, enc'),
    'VAE.updates = {"nope": ("encoder",)}': "'nope'; the terms are kl",
    'VAE.updates = {"kl": "encoder"}': 'must be rows of the update table',
    # What several settings say together.
    'encoder.latent_dim = 4':
        ('VAE.encoder` makes latents of (4,)', 'latent_dim'),
    'decoder.latent_dim = 4':
        ('VAE.encoder` makes latents of (3,)', 'latent_dim'),
    'image_shape = (16, 16, 1)': ('(8, 8, 1)', 'image_shape', '--gin_file'),
    'image_shape = (8, 8)': 'encoder.image_shape = (8, 8)` (bound as %image_sh',
    'image_shape = (8.5, 8, 1)': 'must be (height, width, channels)',
    'latent_dim = 0': 'encoder.latent_dim = 0` (bound as %latent_dim)',
    'latent_dim = 1e400': ('latent_dim = inf` must be finite',),
    'train.batch_size = 100000': 'set train.batch_size to at most 1500',
    'train.steps_per_execution = 3': ('train.steps = 4', 'a multiple of'),
    'train.best_by = "nope"': ('train.best_by', 'train.score_every'),
    'train.split = "nope"': 'choose one of train, test, all',
    'train.validation_split = "nope"': 'choose one of train, test, all',
    'train.strategy = "multi_worker"': 'TF_CONFIG',
    'decoder.value_range = (0, 5)': '(-1, 1) (tanh) or (0, 1) (sigmoid)',
    'decoder.value_range = None': 'decoder.value_range = (-1., 1.)',
    'VAE.name = "a/b"': "VAE.name = 'a/b'` must be",
    'adam.learning_rate = 1': 'never read by this command',
    'sgd.learning_rate = 1e30': ('not finite', 'lower learning rate'),
    'base_filters = 100000': ('train.batch_size', 'OOM'),
    'train.steps = 1e18': 'train.steps = 1e+18` must be a whole number',
    # What is no binding.
    'train.nope = 1': 'train has no setting nope: it has model',
    'train.stepz = 1': 'did you mean steps?',
    'nope.x = 1': 'there is no nope',
    'VAEE.kl = 1': 'did you mean VAE?',
    'VAE.kl = %nope': ('%nope', 'defined nowhere'),
    'VAE.kl = @nope': 'there is no nope',
    'VAE.kl = nan': 'a number is no NaN',
    'VAE.kl = kl': 'a string stands in quotes',
    'VAE.kl =': 'not a binding that gin can read',
    'VAE.kl': 'not a binding that gin can read',
    '= 5': 'not a binding that gin can read',
    '# nothing': 'it sets nothing',
    'VAE.kl = (1,': 'never closed',
    'VAE.kl = ' + '[' * 500: 'nested too deeply',
    'train.run_dir = "x"': 'given by the command',
    'train.imports = ["os"]': 'given by the command',
    'data_dir = "/nope"': '--data_dir is never read',
}

_OF_PHOTOS = {
    'images.path = "/no/such/folder"': ('/no/such/folder', 'images.path'),
    'images.path = ""': "images.path = ''` must be a path in quotes",
    'images.path = HERE': 'not a binding',
    'images.path = "https://a.b/c.zip"': 'folders of this machine',
    'images.path = "~no_such_user/x"': 'the whole path',
    'images.path = "HERE/tiny.gin"': ('tiny.gin', 'images.path'),
    'images.path = "/dev/zero"': ('/dev/zero', 'images.path'),
    'images.path = "HERE/empty"': ('HERE/empty', 'images.path'),
    'images.path = "HERE/empty.zip"': ('empty.zip', 'images.path'),
    'images.path = "HERE/evil.zip"': ("'../a.png'", 'leads outside'),
    'images.path = "HERE/cut.zip"': ('cut.zip', 'images.path'),
    'images.path = "HERE/loop"': ('HERE/loop', 'images.path'),
    'images.path = "HERE/one"': 'test of the data set images_one is empty',
    'images.path = "HERE/broken"': ('a.png', 'images.skip_damaged'),
    'images.crop = 100': ('p0.png', '100 x 100'),
    'images.image_shape = (8, 8, 2)': '1 or 3 channels',
    'images.image_shape = (8, 8, 3)': ('(8, 8, 3)', 'image_shape'),
    'images.test_fraction = 1e400': 'images.test_fraction = inf` must be',
    'images.test_fraction = 0.9999': 'train of the data set images_photos is',
    'images.validation_fraction = 0.95': 'something to train on',
    'images.partition = "/nope"': 'images.partition',
    'images.attributes = "/nope"': 'images.attributes',
    'images.attributes = "HERE/tiny.gin"': 'Line 1 of the list of attributes',
    'images.background = 300': 'images.background = 300` must be',
    'images.background = (1, 2)': 'images.background = (1, 2)` must be',
    'images.resize = "bicubic_tf1"': 'images.antialias = False',
    'train.batch_size = 50': 'set train.batch_size to at most 38',
}

_OF_FILES = [
    train(TINY, f'--gin_file={name}', words=words) for name, words in {
        'models/rea.gin': ('models/rea.gin', 'did you mean models/rae.gin?'),
        'vae.gin': ('did you mean models/vae.gin?',),
        'models\\vae.gin': ('did you mean models/vae.gin?',),
        'nope.gin': ('nope.gin', 'check the path'),
        '/tmp': ('/tmp is no file',),
        'https://x.y/z.gin': ('https://x.y/z.gin', 'check the path'),
        'HERE/utf16.gin': ('utf16.gin', 'UTF-8'),
        'HERE/binary.gin': ('binary.gin', 'UTF-8'),
        'HERE/deep.gin': ('deep.gin', 'too deeply'),
        'HERE/loop.gin': ('loop.gin', 'too deeply'),
        'HERE/includes.gin': ('nope.gin', 'includes.gin, line 1'),
        'HERE/unknown.gin': ('VAE has no setting kll', 'unknown.gin, line 2'),
        'HERE/value.gin': ('kl is no value', 'value.gin, line 2'),
        'HERE/open.gin': ('open.gin', 'never closed'),
        'datasets/mnist.gin': ('(28, 28, 1)', '--gin_file=networks/conv_mnist'),
        'datasets/swiss_roll.gin': ('cannot take (3,)', 'networks/mlp.gin'),
        'datasets/pairs.gin': ('pairs.source',),
        'networks/mlp.gin': ('(8, 8, 1)', '--gin_file'),
        'networks/conv_mnist.gin': ('(28, 28, 1)', '--gin_file'),
        'models/vunet.gin': ('vunet_encoder.image_shape', 'not set'),
        'models/rae_sn.gin': ('rae_decoder.spectral_norm = True',),
    }.items()
] + [
    train(words=('--gin_file=quickstart.gin',)),
    train('--gin_file=models/vae.gin', words=(
        'train.dataset', 'train.steps', 'train.optimizer', 'not set',
        '--gin_file=datasets/', '--gin_file=networks/', "train.steps = 2000")),
    train(TINY, '--gin_file=models/fp_vae.gin', '--gin_param=latent_dim = 1',
          words=('2 latent dimensions', 'latent_dim')),
    train(TINY, '--gin_file=models/fp_vae.gin',
          '--gin_param=FPVAE.prior = @Gaussian', words=('such as @FlowPrior',)),
    train(TINY, '--gin_file=models/fp_vae.gin',
          '--gin_param=FPVAE.prior = @digits',
          words=('FPVAE.prior = @digits',)),
    train(TINY, '--gin_file=models/gmmn.gin',
          '--gin_param=GMMN.bandwidths = ()', words=('GMMN.bandwidths = ()',)),
    train(TINY, '--gin_file=models/wae_mmd.gin',
          '--gin_param=WAEMMD.scales = ()', words=('WAEMMD.scales = ()',)),
    train(TINY, '--gin_file=models/no_prior_matching.gin',
          '--gin_param=NoPriorMatching.autoencoder_steps = 10',
          words=('10, 4', 'train.steps')),
    train(TINY, '--gin_file=models/lpga.gin',
          '--gin_param=train.precision = "mixed_float16"',
          words=('train.precision', "'mixed_bfloat16'")),
    train(TINY, '--gin_file=networks/mlp.gin',
          '--gin_param=mlp_encoder.activation = "nope"',
          words=("mlp_encoder.activation = 'nope'", 'Keras activation')),
    train(TINY, '--gin_param=train.plateau_patience = 1',
          '--gin_param=train.learning_rate_schedule = @cosine()',
          words=('train.plateau_patience', 'to None')),
    train(TINY, '--gin_param=train.augmenter = @augmenter()',
          '--gin_param=augmenter.horizontal_flip = False',
          words=('augmenter.horizontal_flip', 'leave it out')),
    train(TINY, '--gin_param=VAE.kl = @linear()', '--gin_param=linear.end = -1',
          '--gin_param=linear.start = 1', '--gin_param=linear.first_step = 0',
          '--gin_param=linear.last_step = 5', words=('nowhere below 0',)),
    train(TINY, '--gin_param=VAE.kl = @linear()', '--gin_param=linear.end = 1',
          '--gin_param=linear.start = 1', '--gin_param=linear.first_step = 5',
          '--gin_param=linear.last_step = 5', words=('linear.last_step = 5',)),
    train('--gin_file=quickstart.gin', '--gin_file=datasets/mnist.gin',
          '--gin_file=networks/conv_mnist.gin', '--data_dir=/nope',
          words=('mnist', '/nope')),
    train(TINY, '--data_dir=/nope', words=('--data_dir is never read',)),
]

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
    opened('evaluate', '--protocol=nope', status=2, words=('nope', 'quick|')),
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
           words=('train.dataset = None', 'a data set, as @mnist does')),
    opened('evaluate', '--gin_param=train.dataset = @VAE',
           words=('train.dataset = @VAE', 'a data set, as @mnist does')),
    opened('evaluate', '--gin_param=quick.num_samples = 1',
           words=('2 samples',)),
    opened('evaluate', '--gin_param=quick.split = "nope"',
           words=('nope', 'all')),
    opened('evaluate', '--prior=gmm',
           '--gin_param=GaussianMixture.num_components = 100000',
           words=('set GaussianMixture.num_components to at most',)),
    opened('evaluate', '--prior=gmm', '--gin_param=density.max_latents = 1',
           words=('GaussianMixture.num_components',)),
    opened('evaluate', '--gin_param=Gaussian.latent_dim = 7',
           words=('given by the command',)),
    Case('evaluate', ('--run_dir=/no/such/run',), ('not a run directory',)),
    Case('evaluate', ('--run_dir=HERE',), ('not a run directory',)),
    Case('evaluate', ('--run_dir=HERE/tiny.gin',), ('not a run directory',)),
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
    '': ('sweep.cells', 'not set'),
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


# === Damaged runs and exports ===


def written(name, text):
  """Returns a function that writes a file of a run."""
  content = text if isinstance(text, bytes) else text.encode()
  return lambda run: (run / name).write_bytes(content)


def changed(*path, value):
  """Returns a function that changes a value of a run's config.json."""
  def change(run):
    record = json.loads((run / 'config.json').read_text())
    inner = record
    for name in path[:-1]:
      inner = inner[name]
    inner[path[-1]] = value
    (run / 'config.json').write_text(json.dumps(record))
  return change


def removed(name):
  def remove(run):
    path = run / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
  return remove


def of_another_type(name, folder):
  """Returns a function that makes a file of a folder, or the reverse."""
  def change(run):
    if (run / name).exists():
      removed(name)(run)
    if folder:
      (run / name).mkdir()
    else:
      (run / name).write_text('x')
  return change


def cut(pattern):
  def change(run):
    for path in (run / 'checkpoints').rglob(pattern):
      path.write_bytes(path.read_bytes()[:100])
  return change


_SCORES = ('step,metric,value,dataset,features,images,prior,ema,num_samples,'
           'split,crop,resize,rounding,batch_norm,seed,protocol\n')
_BOTH = ('evaluate', 'train')
_DAMAGES = [
    *((written('config.json', text), _BOTH, ('config.json', 'damaged'))
      for text in ('[]', '5', 'null', '{', '', '[' * 100000, b'\xff\xfe\x00')),
    *((changed('imports', value=value), _BOTH, ('config.json', 'imports'))
      for value in (5, 'x', {'a': 1}, [5])),
    (changed('imports', value=['x']), ('evaluate', 'sample', 'export'),
     ('--import=x',)),
    *((changed(name, value=value), ('train',), ('config.json', name))
      for name, value in (('data', 5), ('versions', []), ('seed', 'x'),
                          ('config_keys', 5))),
    (changed('data', value={}), ('train',), ('config.json', 'fingerprint')),
    (changed('data', 'preprocessing', value=5), ('export',),
     ('config.json', 'preprocessing')),
    (written('config.gin', ''), _BOTH, ('config.gin',)),
    (written('config.gin', '[' * 100000), ('evaluate',), ('config.gin',)),
    (written('config.gin', b'\xff\xfe'), _BOTH, ('config.gin', 'damaged')),
    (written('config.gin', 'import os\n'), ('evaluate', 'sample', 'export'),
     ('--import=os',)),
    (written('config.gin', "include 'quickstart.gin'\n"), ('evaluate',),
     ('config.gin includes',)),
    *((written('scores.csv', text), ('evaluate',), ('scores.csv', 'damaged'))
      for text in ('a,b\n', _SCORES + 'x,y\n', b'\xff\xfe',
                   _SCORES + ','.join(['²', 'f', '1', *'abcdefghij', '0', 'm',
                                       'n']) + '\n',
                   _SCORES + ','.join(['1', 'f', 'x', *'abcdefghij', '0', 'm',
                                       'n']) + '\n')),
    (removed('checkpoints'), ('evaluate', 'sample', 'export'),
     ('has no checkpoint',)),
    (removed('config.json'), _BOTH, ('config.json', 'missing')),
    (removed('config.gin'), _BOTH, ('config.gin',)),
    (cut('*data*'), _BOTH, ('damaged',)),
    (cut('*.index'), _BOTH, ('damaged',)),
    (of_another_type('samples', False), ('train',), ('samples',)),
    (of_another_type('.lock', True), ('train',), ('.lock',)),
    (of_another_type('events', False), ('train',), ('events',)),
    (of_another_type('checkpoints', False), ('evaluate', 'train'),
     ('checkpoint',)),
    (of_another_type('config.json', True), _BOTH, ('config.json',)),
    (of_another_type('config.gin', True), _BOTH, ('config.gin',)),
]
_OF_DAMAGES = [opened(command, words=words, damage=damage)
               for damage, commands, words in _DAMAGES for command in commands]


def of_export(change):
  """Returns a function that damages the copy of the export in a run."""
  return lambda run: change(run / 'export' / '1')


def _metadata(**values):
  def change(folder):
    path = folder / 'metadata.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
  return change


_OF_EXPORTS = [
    Case('sample', ('--export_dir=DAMAGED/export', '--output=NEW/x.png'),
         ('export', 'cannot be read'), damage=of_export(change))
    for change in (
        written('metadata.json', '{}'), written('metadata.json', '[]'),
        written('metadata.json', '[' * 100000), removed('metadata.json'),
        written('saved_model.pb', 'xx'), removed('variables'),
        _metadata(image_shape=5))]

CASES = [*_of_settings(), *bound([TINY], _BINDINGS),
         *bound([PHOTOS], _OF_PHOTOS), *_OF_FILES, *_OF_FLAGS, *_OF_OPENED,
         *_OF_SWEEPS, *_OF_DAMAGES, *_OF_EXPORTS]


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
    (opened('report', damage=written('config.json', '[]')),
     'a report says what it could not read', _says('config.json')),
    (opened('evaluate', damage=of_another_type('grids', False)),
     'a picture that cannot be kept is a warning, beside the scores',
     lambda new, result: 'grids' in result.err and 'frechet' in result.out),
    (opened('evaluate', damage=written('scores.csv', _SCORES + '"')),
     'half a last row was never whole',
     lambda new, result: 'half a row' in result.err),
]
