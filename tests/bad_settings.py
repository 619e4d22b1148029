"""Bad input in settings: of each type, in bindings and in gin files."""
from bad_cases import PHOTOS
from bad_cases import TINY
from bad_cases import bound
from bad_cases import opened
from bad_cases import train
import wrong_settings

__all__ = ['CASES']

# === Of each type ===

_EVALUATE = ('Gaussian GaussianMixture BayesianGaussianMixture KernelDensity '
             'GradientMixture RealNVP TwoStageVAE FlowMatching quick '
             'classifier density evaluate').split()
_PRIORS = {'Gaussian': 'gaussian', 'GaussianMixture': 'gmm',
           'BayesianGaussianMixture': 'bayesian_gmm', 'KernelDensity': 'kde',
           'RealNVP': 'real_nvp', 'TwoStageVAE': 'two_stage',
           'GradientMixture': 'gmm_gradient',
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
    'VAE.decoder = @encoder()': 'decoder of VAE ends in Dense',
    'encoder.network = @digits': 'encoder.network = @digits` does not take',
    'encoder.network = @VAE': 'must be a network',
    'decoder.network = @conv_digits_encoder':
        ('cannot take (3,)', '--gin_file'),
    'encoder.network = @sngan_encoder': ('cannot take (8, 8, 1)', '--gin_file'),
    # The update table.
    'VAE.updates = {}': 'VAE.updates = {}` must be rows of the update table',
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
    'train.composed = "x"': 'given by the command',
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
        'datasets/mnist.gin': ('(28, 28, 1)', '--gin_file=networks/conv.gin'),
        'datasets/swiss_roll.gin': ('cannot take (3,)', 'networks/mlp.gin'),
        'datasets/pairs.gin': ('pairs.source',),
        'networks/mlp.gin': ('(8, 8, 1)', '--gin_file'),
        'networks/conv_mnist.gin': ('(28, 28, 1)', '--gin_file'),
        'models/vunet.gin': ('vunet_encoder.image_shape', 'not set'),
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

CASES = [*_of_settings(), *bound([TINY], _BINDINGS),
         *bound([PHOTOS], _OF_PHOTOS), *_OF_FILES]
