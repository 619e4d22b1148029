"""Trains one of pythae's models for pythae_comparison.py, which calls this.

It runs in an environment of its own, with PyTorch and pythae (0.1.2); nothing
of pgak is imported. Nets, distribution of the first weights, optimizer, batches
and weights of the terms are those of pythae_comparison.py; pythae's loss is a
sum over pixels, so that its weights are D times the ones on a mean.

  python pythae_side.py SETTINGS_JSON

in_turn.py calls it with --turns before that: it then trains a group of batches
for each line that it reads, and says how long that took.
"""
import json
import sys
import time

import numpy as np
from pythae import data
from pythae import models
from pythae import trainers
from pythae.models import base
from pythae.models import nn
import torch

__all__ = ['train']


class _Encoder(nn.BaseEncoder):
  """Two convs of 5x5 and stride 2, a dense layer, leaky ReLU (0.2), heads."""

  def __init__(self, settings, log_variance):
    super().__init__()
    f, units, h = (settings[n] for n in ('filters', 'units', 'latent_dim'))
    slope = torch.nn.LeakyReLU(0.2)
    self.body = torch.nn.Sequential(
        torch.nn.Conv2d(1, f, 5, 2, 2), slope,
        torch.nn.Conv2d(f, 2 * f, 5, 2, 2), slope,
        torch.nn.Flatten(), torch.nn.Linear(7 * 7 * 2 * f, units), slope)
    self.mean = torch.nn.Linear(units, h)
    self.log_variance = torch.nn.Linear(units, h) if log_variance else None
    self.apply(_glorot)
    if log_variance:
      # As pgak begins: sigma = 0.1.
      torch.nn.init.constant_(self.log_variance.bias, 2. * np.log(0.1))

  def forward(self, x):
    features = self.body(x)
    output = base.base_utils.ModelOutput(embedding=self.mean(features))
    if self.log_variance is not None:
      output['log_covariance'] = self.log_variance(features)
    return output


class _Decoder(nn.BaseDecoder):
  """The mirror, with ReLU and a sigmoid."""

  def __init__(self, settings):
    super().__init__()
    f, units, h = (settings[n] for n in ('filters', 'units', 'latent_dim'))
    self.body = torch.nn.Sequential(
        torch.nn.Linear(h, units), torch.nn.ReLU(),
        torch.nn.Linear(units, 7 * 7 * 2 * f), torch.nn.ReLU(),
        torch.nn.Unflatten(1, (2 * f, 7, 7)),
        torch.nn.ConvTranspose2d(2 * f, f, 5, 2, 2, 1), torch.nn.ReLU(),
        torch.nn.ConvTranspose2d(f, 1, 5, 2, 2, 1), torch.nn.Sigmoid())
    self.apply(_glorot)

  def forward(self, z):
    return base.base_utils.ModelOutput(reconstruction=self.body(z))


def _glorot(layer):
  if hasattr(layer, 'weight'):
    # Keras's default; PyTorch's own is another distribution.
    torch.nn.init.xavier_uniform_(layer.weight)
    torch.nn.init.zeros_(layer.bias)


def _model(settings):
  """Returns the model; `settings` holds weights of means per element."""
  name, h, d = settings['model'], settings['latent_dim'], 28 * 28
  common = dict(input_dim=(1, 28, 28), latent_dim=h)
  nets = _Encoder(settings, name == 'vae'), _Decoder(settings)
  if name == 'vae':  # Half the sum of squares: kl = 2 beta H / D.
    config = models.BetaVAEConfig(beta=settings['kl'] * d / (2. * h), **common)
    return models.BetaVAE(config, *nets)
  if name == 'wae_mmd':
    config = models.WAE_MMD_Config(reg_weight=settings['mmd'] * d,
                                   kernel_choice='imq', **common)
    return models.WAE_MMD(config, *nets)
  config = models.RAE_L2_Config(  # Half the square of z; r / 2 of w^2.
      embedding_weight=settings['latent_l2'] * 2. * d / h,
      reg_weight=settings['decoder_l2'] * 2. * d, **common)
  return models.RAE_L2(config, *nets)


class _Turns(trainers.training_callbacks.TrainingCallback):
  """Waits after each group of batches; as `in_turn.wait` of pgak's side."""

  def __init__(self, group):
    self._group = group
    self._batches = 0
    self._begun = None

  def on_train_step_end(self, training_config, **kwargs):
    self._batches += 1
    if self._batches % self._group:
      return
    taken = time.perf_counter() - self._begun if self._begun else 0.
    print(json.dumps({'seconds': taken}), flush=True)
    if not sys.stdin.readline():
      raise SystemExit(0)
    self._begun = time.perf_counter()


def _trainer(model, images, settings, epochs, folder):
  rate = settings['learning_rate']
  common = dict(output_dir=folder, num_epochs=epochs, no_cuda=True,
                per_device_train_batch_size=settings['batch_size'],
                seed=settings['seed'])
  callbacks = [_Turns(settings['group'])] if 'group' in settings else None
  dataset = data.datasets.BaseDataset(images, torch.zeros(len(images)))
  if settings['model'] == 'rae_l2':
    # pythae gives the decoder's penalty as its optimizer's weight decay.
    config = trainers.CoupledOptimizerTrainerConfig(
        encoder_learning_rate=rate, decoder_learning_rate=rate,
        decoder_optimizer_params={
            'weight_decay': model.model_config.reg_weight}, **common)
    return trainers.CoupledOptimizerTrainer(model, dataset,
                                            training_config=config,
                                            callbacks=callbacks)
  config = trainers.BaseTrainerConfig(learning_rate=rate, **common)
  return trainers.BaseTrainer(model, dataset, training_config=config,
                              callbacks=callbacks)


def train(settings):
  """Trains, and writes samples; returns images per second of the training."""
  torch.manual_seed(settings['seed'])
  torch.set_num_threads(settings['threads'])
  train_images = torch.from_numpy(
      np.load(settings['images']).transpose(0, 3, 1, 2).astype('float32') / 255)
  model = _model(settings)
  trainer = _trainer(model, train_images, settings, settings['epochs'],
                     settings['folder'])
  begun = time.perf_counter()
  trainer.train()
  seconds = time.perf_counter() - begun
  model = trainer.model.eval()
  rng = np.random.default_rng(settings['seed'])
  with torch.no_grad():
    if settings['model'] == 'rae_l2':
      # The density that pgak's side fits, too: mean and full covariance.
      latents = np.concatenate([model.encoder(batch).embedding.numpy()
                                for batch in train_images.split(500)])
      z = rng.multivariate_normal(latents.mean(0), np.cov(latents.T),
                                  settings['num_samples'])
    else:
      z = rng.normal(size=(settings['num_samples'], settings['latent_dim']))
    made = model.decoder(torch.tensor(z, dtype=torch.float32)).reconstruction
  # Rounded as pgak does: the FID depends on it.
  made = np.rint(255. * made.numpy().transpose(0, 2, 3, 1)).astype(np.uint8)
  np.save(settings['samples'], made)
  return len(train_images) * settings['epochs'] / seconds


if __name__ == '__main__':
  with open(sys.argv[-1], encoding='utf-8') as file:
    asked = json.load(file)
  speed = train(asked)
  with open(asked['result'], 'w', encoding='utf-8') as file:
    json.dump({'images_per_second': speed}, file)
