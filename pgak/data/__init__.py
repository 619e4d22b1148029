"""Named data sets, and `tf.data` pipelines from them to a training step.

A data set is a function of its settings that returns a `Dataset`; its splits
are `ImageArray`s, which `train_batches` and `batches` turn into `tf.data`.
Between a source and a train step stand a `store.Recipe`, the files that it is
prepared into, a split's `ImageArray` and a loader. So any position of the order
of an epoch can be read at once, which a run needs to resume at a step, and no
more than a batch is in memory. Only this package uses TensorFlow Datasets.
"""
from pgak.data.any_tfds import tfds
from pgak.data.array_files import arrays as from_file
from pgak.data.arrays import Dataset
from pgak.data.arrays import DatasetLike
from pgak.data.arrays import ImageArray
from pgak.data.attributes import attribute_mask
from pgak.data.attributes import attribute_masks
from pgak.data.attributes import attribute_names
from pgak.data.augmentation import Augmentation
from pgak.data.augmentation import augmenter
from pgak.data.embedded import digits
from pgak.data.embedded import synthetic
from pgak.data.folders import images
from pgak.data.from_python import from_arrays
from pgak.data.image_pairs import PairArray
from pgak.data.image_pairs import PairDataset
from pgak.data.image_pairs import pairs
from pgak.data.path_kinds import kind_of_path
from pgak.data.pipelines import batches
from pgak.data.pipelines import ORDER
from pgak.data.pipelines import train_batches
from pgak.data.pipelines import validation_batches
from pgak.data.pipelines import without_autotuning
from pgak.data.tfds_sets import celeb_a
from pgak.data.tfds_sets import cifar10
from pgak.data.tfds_sets import fashion_mnist
from pgak.data.tfds_sets import mnist
from pgak.data.vectors import shades as vector_shades
from pgak.data.vectors import swiss_roll
from pgak.data.vectors import VectorArray
from pgak.data.vectors import VectorDataset

__all__ = [
    'Augmentation', 'Dataset', 'DatasetLike', 'ImageArray', 'ORDER',
    'PairArray', 'PairDataset', 'VectorArray', 'VectorDataset',
    'attribute_mask', 'attribute_masks', 'attribute_names', 'augmenter',
    'batches', 'celeb_a', 'cifar10', 'digits', 'fashion_mnist', 'from_arrays',
    'from_file', 'images', 'kind_of_path', 'mnist', 'pairs', 'swiss_roll',
    'synthetic', 'tfds', 'train_batches', 'validation_batches', 'vector_shades',
    'without_autotuning'
]
