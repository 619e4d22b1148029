"""Encoders and decoders as functional Keras models, one architecture a file.

An architecture is a function of a Keras tensor: an encoder's turns images into
features, a decoder's turns latents into images before their last activation.
`encoder` and `decoder` put the heads on, so that any model takes any net.
"""
from pgak.networks.any_size import conv_decoder
from pgak.networks.any_size import conv_encoder
from pgak.networks.any_size import residual_decoder
from pgak.networks.any_size import residual_encoder
from pgak.networks.conv_digits import conv_digits_decoder
from pgak.networks.conv_digits import conv_digits_encoder
from pgak.networks.conv_mnist import conv_mnist_decoder
from pgak.networks.conv_mnist import conv_mnist_encoder
from pgak.networks.critics import latent_critic
from pgak.networks.dcgan import dcgan_decoder
from pgak.networks.dcgan import dcgan_encoder
from pgak.networks.heads import decoder
from pgak.networks.heads import encoder
from pgak.networks.image_errors import AbsoluteError
from pgak.networks.image_errors import HuberError
from pgak.networks.image_errors import MixedError
from pgak.networks.image_errors import PatchError
from pgak.networks.image_errors import SquaredError
from pgak.networks.image_errors import SSIMError
from pgak.networks.maps import map_decoder
from pgak.networks.maps import map_encoder
from pgak.networks.mlp import mlp_decoder
from pgak.networks.mlp import mlp_encoder
from pgak.networks.nested import layers_of
from pgak.networks.perceptual import PerceptualError
from pgak.networks.pg_gan import EqualisedLearningRate
from pgak.networks.pg_gan import FadeIn
from pgak.networks.pg_gan import pg_gan_decoder
from pgak.networks.pg_gan import pg_gan_encoder
from pgak.networks.pg_gan import set_level
from pgak.networks.precision import full_precision
from pgak.networks.precision import lower_precision
from pgak.networks.rae import rae_decoder
from pgak.networks.rae import rae_encoder
from pgak.networks.resnet_128 import resnet_128_decoder
from pgak.networks.resnet_128 import resnet_128_encoder
from pgak.networks.resnet_32 import resnet_32_decoder
from pgak.networks.resnet_32 import resnet_32_encoder
from pgak.networks.sngan import sngan_decoder
from pgak.networks.sngan import sngan_encoder
from pgak.networks.spectral_norm import SpectralNormalization
from pgak.networks.spectral_norm import update_spectral_norms
from pgak.networks.vunet import condition_network
from pgak.networks.vunet import vunet_decoder
from pgak.networks.vunet import vunet_encoder
from pgak.networks.weight_norm import WeightNormConv2D

__all__ = [
    'AbsoluteError', 'EqualisedLearningRate', 'FadeIn', 'HuberError',
    'MixedError', 'PatchError', 'PerceptualError', 'SSIMError',
    'SpectralNormalization', 'SquaredError', 'WeightNormConv2D',
    'condition_network', 'conv_decoder', 'conv_digits_decoder',
    'conv_digits_encoder',
    'conv_encoder', 'conv_mnist_decoder', 'conv_mnist_encoder', 'dcgan_decoder',
    'dcgan_encoder', 'decoder', 'encoder', 'full_precision', 'latent_critic',
    'layers_of', 'lower_precision', 'map_decoder', 'map_encoder', 'mlp_decoder',
    'mlp_encoder', 'pg_gan_decoder', 'pg_gan_encoder', 'rae_decoder',
    'rae_encoder', 'residual_decoder', 'residual_encoder',
    'resnet_128_decoder', 'resnet_128_encoder', 'resnet_32_decoder',
    'resnet_32_encoder', 'set_level', 'sngan_decoder', 'sngan_encoder',
    'update_spectral_norms', 'vunet_decoder', 'vunet_encoder'
]
