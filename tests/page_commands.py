"""Makes the commands of the documentation small enough to be run by a test.

A command is called in this process, on data that a test has made, for two steps
and with few samples. What it is called with otherwise is what the page says.
"""
import contextlib
import importlib
import pathlib
import re
import shutil

import gin

__all__ = ['Runner', 'is_ours', 'quick_code']

# Budgets, which a test makes smaller: what a page binds of them is left out.
BUDGETS = ('train.steps', 'train.checkpoint_every', 'adam.ema_decay')
TRAIN = ('train.batch_size = 4', 'train.xla = False', 'train.scorer = None',
         'train.steps_per_execution = 1')
# Bindings that make a command quick, where its words have the first part.
QUICK = (
    ('train .*swiss_roll', ('train.steps = 2', 'swiss_roll.num_examples = 60')),
    ('train .*infogan|train .*learned_priors/mnist', ('train.steps = 2',)),
    ('train .*pairs', ('train.steps = 2', 'base_filters = 2')),
    ('train .*(_mnist|celeba)', ('train.steps = 2', 'base_filters = 4')),
    ('train .*quickstart', ('train.steps = 2', 'base_filters = 4')),
    ('evaluate ', ('classifier.steps = 5',)),
    ('(evaluate|sample|export) .*real_nvp', ('RealNVP.max_epochs = 1',)),
    ('(evaluate|sample|export) .*flow_matching', (
        'FlowMatching.steps = 20', 'FlowMatching.width = 8')),
)
FLAGS = {
    'train': ('--data=', ('--steps=2', '--size=16')),
    'evaluate': ('pairs', ('--metrics=frechet',)),  # LPIPS needs weights.
    'export': ('', ('--noverify',)),
    'sample': ('', ('--overwrite',)),
    'sweep': ('', ('--dry_run',)),
}
SAMPLES = re.compile(r'--num_samples=\d+')


def is_ours(words):
  """Returns the name of a command of pgak, such as 'train', or None."""
  found = re.match(r'(?:python bin/(\w+)\.py|pgak_(\w+))\b', ' '.join(words))
  return found and (found[1] or found[2])


class Runner:
  """Runs pages' commands in the working directory.

  Two commands that train alike are trained once, and a run of the same name
  that another page made is removed.

  Args:
    data_dir: folder of TensorFlow Datasets.
    replaced: `{text: text}`, what a command's flags are replaced by.
  """

  def __init__(self, data_dir, replaced):
    self._data_dir = data_dir
    self._replaced = replaced
    self._trained = {}

  def run(self, words):
    """Runs a command of pgak; returns whether it is one."""
    name = is_ours(words)
    if not name:
      return False
    flags = words[2:] if words[0] == 'python' else words[1:]
    flags = self._small(name, flags)
    if name == 'train' and self._is_copied(flags):
      return True
    binary = importlib.import_module(f'pgak.bin.{name}')
    with contextlib.suppress(SystemExit):
      binary.main([name, *flags])
    gin.clear_config()
    return True

  def _small(self, name, flags):
    flags = [self._without_network(f) for f in flags if f.removeprefix(
        '--gin_param=').split(' = ')[0] not in BUDGETS]
    line = ' '.join([name, *flags])
    where, more = FLAGS.get(name, ('none', ()))
    flags += more if where in line else ()
    params = [b for pattern, bindings in QUICK for b in bindings
              if re.match(pattern, line)]
    params += TRAIN if name == 'train' else ()
    return flags + [f'--gin_param={b}' for b in params]

  def _without_network(self, flag):
    flag = SAMPLES.sub('--num_samples=8', flag)
    for old, new in self._replaced.items():
      flag = flag.replace(old, new)
    return re.sub(r'^--data_dir=.*', f'--data_dir={self._data_dir}', flag)

  def _is_copied(self, flags):
    run_dir, = (f for f in flags if f.startswith('--run_dir='))
    key = tuple(f for f in flags if f != run_dir)
    path = pathlib.Path(run_dir.partition('=')[2])
    if self._trained.get(key) == path:
      return False  # It resumes.
    # Another page's run of that name.
    shutil.rmtree(path, ignore_errors=True)
    if key not in self._trained:
      self._trained[key] = path
      return False
    shutil.copytree(self._trained[key], path)
    return True


def quick_code(text):
  """Returns Python of a page with few steps, and an export not verified."""
  text = re.sub(r'steps=\d{3,}', 'steps=2, gin_param=["train.xla = False"]',
                text)
  text = re.sub(r"(pgak\.evaluate\(.*?)\)$",
                r"\1, gin_param=['classifier.steps = 5'])", text, flags=re.M)
  return re.sub(r"(pgak\.export\('[^']*')", r'\1, verified=False', text)
