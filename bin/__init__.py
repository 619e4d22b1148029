"""The commands of pgak: `python bin/train.py`, or `pgak_train` installed."""
