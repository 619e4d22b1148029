"""The layers of a net, also those inside nets and layers of its own."""

__all__ = ['layers_of']


def layers_of(net):
  """Returns a net and all layers in it, each once, a list.

  `net.layers` has those of the first level alone: of a nested net, a block that
  is a layer of one's own, or a wrapper, it has the outer one.

  Args:
    net: `keras.Model` or layer; of anything else there are none.
  """
  # Private, as Keras shows the layers of a model and not those of a layer.
  flat = getattr(net, '_flatten_layers', None)
  return flat() if flat else []
