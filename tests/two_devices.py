"""The train command where the CPU is two devices, which `mirrored` takes."""
import tensorflow as tf

from pgak.bin import train as binary

__all__ = ['train']


def train():
  """Trains as `sys.argv` says; nothing of TensorFlow's may be made before."""
  tf.config.set_logical_device_configuration(
      tf.config.list_physical_devices('CPU')[0],
      2 * [tf.config.LogicalDeviceConfiguration()])
  assert len(tf.config.list_logical_devices()) == 2
  binary.run()
