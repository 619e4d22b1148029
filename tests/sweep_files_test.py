"""Every .sweep file that ships: its cells counted, its evaluations parsed.

An evaluation's settings are parsed as the evaluate command does, on top of a
cell's. The cells are parsed and built in sweep_weights_test.py.
"""
import ast
import pathlib
import re
import subprocess

import gin
import pytest
import sweep_recipes

from pgak import priors
from pgak import registry
from pgak import sweeping
from pgak.evaluation import protocols
from pgak.metrics import metric
from pgak.runs import configuration
from pgak.runs import gin_text

registry.register()

ROOT = pathlib.Path(__file__).absolute().parent.parent
GIN = ROOT / 'gin'

# Cells, seeds and evaluations, by the papers' tables and figures.
SWEEPS = {
    'quick.sweep': (3, 1, 1),
    # A search: what its trials share.
    'search_digits.sweep': (1, 1, 1),
    'ten_minutes.sweep': (10, 1, 3),
    'regularisers.sweep': (6, 1, 2),
    'errors_mnist.sweep': (5, 1, 1),
    'latents_cifar10.sweep': (3, 1, 2),
    'papers/learned_priors/fig3_mnist.sweep': (10, 1, 1),
    'papers/learned_priors/fig3_mnist_small.sweep': (10, 3, 1),
    'papers/learned_priors/fig3_fashion_mnist.sweep': (10, 1, 1),
    'papers/learned_priors/fig3_fashion_mnist_small.sweep': (10, 1, 1),
    'papers/learned_priors/fig3_cifar10.sweep': (10, 1, 1),
    'papers/learned_priors/table1_celeba.sweep': (4, 1, 2),
    'papers/learned_priors/search_gmmn_mnist.sweep': (6, 1, 1),
    'papers/learned_priors/table1_celeba_small.sweep': (3, 3, 1),
    'papers/learned_priors/table2_pairs.sweep': (2, 3, 1),
    'papers/no_prior_matching/fig6_mnist.sweep': (3, 1, 1),
    'papers/no_prior_matching/mnist_small.sweep': (15, 1, 1),
    'papers/no_prior_matching/search_mnist.sweep': (13, 1, 1),
    'papers/no_prior_matching/search_celeba.sweep': (11, 1, 1),
    'papers/no_prior_matching/search_cifar10.sweep': (11, 1, 1),
    'papers/no_prior_matching/sphere_mnist.sweep': (4, 1, 1),
    'papers/no_prior_matching/swiss_roll.sweep': (7, 10, 1),
    'papers/no_prior_matching/swiss_roll_same_nets.sweep': (7, 3, 1),
    'papers/no_prior_matching/table1_celeba.sweep': (6, 1, 1),
    'papers/no_prior_matching/table2_cifar10.sweep': (6, 1, 1),
    'papers/rae_iclr2020/table1_mnist.sweep': (8, 1, 1),
    'papers/rae_iclr2020/table1_mnist_small.sweep': (8, 3, 1),
    'papers/rae_iclr2020/table1_cifar10.sweep': (8, 1, 1),
    'papers/rae_iclr2020/table1_celeba.sweep': (8, 1, 1),
    'papers/rae_iclr2020/fig1_k_samples.sweep': (5, 1, 1),
    'papers/rae_iclr2020/fig2_kl_weight.sweep': (8, 1, 1),
    'papers/rae_iclr2020/components.sweep': (2, 1, 7),
    'papers/pga_icml2020/table1_mnist.sweep': (4, 3, 1),
    'papers/pga_icml2020/table1_cifar10.sweep': (4, 3, 1),
    'papers/pga_icml2020/table1_celeba.sweep': (4, 3, 1),
    **{f'papers/pga_icml2020/fig{figure}_{d}.sweep': (cells, 1, 1)
       for figure, cells in ((3, 2), (4, 6))
       for d in ('mnist', 'cifar10', 'celeba')},
    'papers/pga_icml2020/claims_mnist_small.sweep': (5, 3, 2),
    'papers/pga_icml2020/search_vae_cifar10.sweep': (6, 1, 1),
    'papers/pga_icml2020/search_vae_celeba.sweep': (6, 1, 1),
    'papers/pga_workshop2019/table1_mnist.sweep': (3, 3, 1),
    'papers/pga_workshop2019/table1_cifar10.sweep': (3, 3, 1),
    'papers/pga_workshop2019/table1_celeba.sweep': (3, 3, 1),
}
MODELS = {
    'rae_iclr2020': ['vae', 'cv_vae', 'wae_mmd', 'rae_gp', 'rae_l2', 'rae_sn',
                     'rae', 'ae'],
    'pga_icml2020': ['vae', 'lpga', 'vpga', 'lvpga'],
    'pga_workshop2019': ['vae', 'lpga', 'vpga'],
}
# Where a paper has another's protocol.
PROTOCOLS = {'pga_workshop2019': 'pga_icml2020'}


def test_the_list_is_whole():
  assert set(SWEEPS) == {
      p.relative_to(GIN).as_posix() for p in GIN.rglob('*.sweep')}


@pytest.mark.parametrize('name', SWEEPS)
def test_cells_seeds_and_evaluations(name):
  sweep = sweeping.read(name)
  jobs = sweep.jobs or sweep.pattern
  number, seeds, evaluations = SWEEPS[name]
  assert len(jobs) == number * seeds
  assert len({j.cell for j in jobs}) == number
  assert {j.seed for j in jobs} == set(range(seeds))
  assert len(sweep.evaluations) == evaluations
  # Two cells of the same settings would be one row told twice.
  assert len({j.train_flags for j in jobs}) == number * seeds
  assert all(job.digest() for job in jobs)


def test_the_search_is_parsed_as_the_train_command_does():
  sweep = sweeping.read('search_digits.sweep')
  ends = [sweep.search.bindings({r.name: r.options[i]
                                 for r in sweep.search.ranges})
          for i in (0, 1)]
  for bindings in ends:
    configuration.parse(sweep.pattern[0].gin_files, bindings,
                        roots=registry.train_roots)
  assert sweep.search.trials == 8


@pytest.mark.parametrize('name', [
    n for n in SWEEPS if 'table1' in n and 'small' not in n
    and pathlib.Path(n).parent.name in MODELS])
def test_a_table_has_every_row_of_its_paper(name):
  paper = pathlib.Path(name).parent.name
  dataset = pathlib.Path(name).stem.removeprefix('table1_')
  jobs = sweeping.read(name).jobs
  for model, job in zip(MODELS[paper], jobs):
    assert job.cell == model
    assert job.gin_files == (f'papers/{paper}/{model}_{dataset}.gin',)
  evaluation, = sweeping.read(name).evaluations
  assert f'--protocol={PROTOCOLS.get(paper, paper)}' in evaluation.flags


@pytest.mark.parametrize('dataset', ['mnist', 'cifar10', 'celeba'])
def test_figure_3_scores_every_2000_steps_by_the_papers_protocol(dataset):
  job = sweeping.read(f'papers/pga_icml2020/fig3_{dataset}.sweep').jobs[0]
  configuration.parse(job.gin_files, job.bindings, roots=registry.train_roots)
  assert configuration.setting('train.score_every') == 2000
  protocol = protocols.resolve(
      configuration.setting('frechet_scorer.protocol'))
  assert (protocol.name, protocol.num_samples) == ('pga_icml2020', 5000)


def test_the_components_of_the_mixtures():
  found = [re.search(r'num_components = (\d+)', ' '.join(e.flags)).group(1)
           for e in sweeping.read('papers/rae_iclr2020/components.sweep'
                                  ).evaluations]
  assert found == ['1', '2', '5', '10', '20', '50', '100']


def test_the_weights_of_figure_2_are_multiples_of_the_table_s():
  configuration.parse(['papers/rae_iclr2020/vae_mnist.gin'])
  released = configuration.setting('VAE.kl')
  gin.clear_config()
  for job in sweeping.read('papers/rae_iclr2020/fig2_kl_weight.sweep').jobs:
    value = float(gin_text.bindings_of(job.bindings[1])['VAE.kl'])
    factor = float(job.cell.removeprefix('kl_x'))
    assert value == pytest.approx(factor * released, rel=1e-9)


@pytest.mark.parametrize('name', SWEEPS)
def test_an_evaluation_is_parsed_strictly(name):
  sweep = sweeping.read(name)
  short = name.removeprefix('papers/').removesuffix('.sweep')
  expected = sweep_recipes.protocols_of(short)
  assert len(expected) == len(sweep.evaluations)
  for evaluation, known in zip(sweep.evaluations, expected):
    flags = dict(f.removeprefix('--').split('=', 1) for f in evaluation.flags
                 if not f.startswith('--gin_param='))
    bindings = [f.removeprefix('--gin_param=') for f in evaluation.flags
                if f.startswith('--gin_param=')]
    named = flags.get('prior', '').split(',')
    assert set(named) <= {'', 'own', *priors.NAMES}
    configuration.parse(
        (sweep.jobs or sweep.pattern)[0].gin_files, bindings,
        roots=['train', flags['protocol'], *(
            root for p in named if p for root in priors.prior_roots(p))])
    protocol = protocols.resolve(flags['protocol'])
    assert protocol.name == known.split()[0]
    assert sweep_recipes.PROTOCOLS[known] == (
        protocol.features, protocol.num_samples, protocol.split,
        protocol.num_references, protocol.rounding, protocol.batch_norm)
    assert set(flags.get('metrics', 'frechet').split(',')) <= set(
        metric.names())
    if 'rae_iclr2020' in name:
      assert flags['checkpoint'] == 'best'
      assert configuration.setting('train.best_by') == 'validation_loss'
    for binding in bindings:
      (key, value), = gin_text.bindings_of(binding).items()
      if key.endswith('.images'):
        assert protocol.images == ast.literal_eval(value)


# === The documented examples ===


def test_the_slurm_array():
  path = ROOT / 'docs/slurm_array.sh'
  subprocess.run(['bash', '-n', path], check=True)
  text = path.read_text(encoding='utf-8')
  assert re.search(r'--sweep=(\S+)', text).group(1) in SWEEPS
  # Slurm counts the tasks of this array from 0, as --shard does.
  assert '#SBATCH --array=0-' in text
  assert '--shard="$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"' in text


def test_the_kubernetes_job():
  yaml = pytest.importorskip('yaml')
  job = yaml.safe_load((ROOT / 'docs/kubernetes_job.yaml').read_text())
  spec = job['spec']
  assert (job['kind'], spec['completionMode']) == ('Job', 'Indexed')
  command = spec['template']['spec']['containers'][0]['command']
  assert command[0] == 'pgak_sweep'
  assert command[1].removeprefix('--sweep=') in SWEEPS
  assert f'--shard=$(JOB_COMPLETION_INDEX)/{spec["completions"]}' in command


def test_the_page_names_every_sweep():
  text = (ROOT / 'docs/sweeps.md').read_text(encoding='utf-8')
  assert sorted(page_of_sweeps(text)) == sorted(SWEEPS)


def page_of_sweeps(text):
  """All names in a text, with `{a,b}` written out."""
  names = []
  for name in re.findall(r'`([^` ]+\.sweep)`', text):
    options = re.search(r'\{(.*?)\}', name)
    names += [name.replace(options[0], o) for o in options[1].split(',')
              ] if options else [name]
  return names


def test_the_example_of_the_page_is_a_sweep(tmp_path):
  text = (ROOT / 'docs/sweeps.md').read_text(encoding='utf-8')
  example = re.search(r'```\w*\n(sweep\.gin_files.*?)```', text, re.S).group(1)
  path = tmp_path / 'a.sweep'
  path.write_text(example)
  sweep = sweeping.read(path)
  assert len(sweep.jobs) == 9 and len(sweep.evaluations) == 2
  for job in sweep.jobs:
    configuration.parse(job.gin_files, job.bindings,
                        roots=registry.train_roots)
