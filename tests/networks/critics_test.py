"""The critic of latents."""
import numpy as np

from pgak import networks


def test_a_critic_of_latents():
  critic = networks.latent_critic(3, units=4, num_layers=2)
  # 3*4+4 = 16, 4*4+4 = 20, 4*1+1 = 5.
  assert sum(int(np.prod(v.shape)) for v in critic.trainable_variables) == 41
  w, b, w2, b2, w3, b3 = (v.numpy() for v in critic.trainable_variables)
  latents = np.random.default_rng(0).normal(size=(5, 3)).astype('float32')
  x = latents
  for kernel, bias in ((w, b), (w2, b2)):
    x = x @ kernel + bias
    x = np.where(x > 0., x, 0.2 * x)
  np.testing.assert_allclose(critic(latents), x @ w3 + b3, rtol=1e-4, atol=1e-5)


def test_a_residual_critic_with_spectral_norm():
  critic = networks.latent_critic(3, units=4, num_layers=1, residual=True,
                                  spectral_norm=True)
  norms = [layer for layer in critic.layers if hasattr(layer, 'norm')]
  assert len(norms) == 4
  weights = []
  for layer in norms:
    kernel, bias = layer.layer.kernel.numpy(), layer.layer.bias.numpy()
    weights.append((kernel / np.linalg.norm(kernel @ layer.u.numpy()), bias))
  latents = np.random.default_rng(0).normal(size=(5, 3)).astype('float32')
  (w, b), *block, (w3, b3) = weights
  x = latents @ w + b
  inner = x
  for kernel, bias in block:
    inner = np.maximum(inner, 0.) @ kernel + bias
  np.testing.assert_allclose(
      critic(latents), np.maximum(x + inner, 0.) @ w3 + b3, rtol=1e-4,
      atol=1e-5)
