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
