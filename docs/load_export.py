"""Uses an export with TensorFlow alone: what a service does with it.

  python docs/load_export.py runs/quickstart/export
"""
import pathlib
import sys

import tensorflow as tf

versions = [v for v in pathlib.Path(sys.argv[1]).iterdir() if v.name.isdigit()]
newest = max(versions, key=lambda v: int(v.name))
model = tf.saved_model.load(newest)

signature = model.signatures['generate']
images = signature(seed=tf.range(16, dtype=tf.int64))['images']
print(f'{newest}: generate gave {images.dtype.name} images {images.shape}.')

latents = model.signatures['encode'](images=images)['latents']
again = model.signatures['decode'](latents=latents)['images']
print(f'encode gave latents {latents.shape}; decode gave {again.shape} back.')
