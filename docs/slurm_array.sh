#!/bin/bash
# A sweep as a Slurm array of four tasks that share one folder:
#
#   cd docs && sbatch slurm_array.sh
#
# Submit it again to go on after a time limit or a failure: what is finished is
# not run again. Change the four folders below; all nodes must see them.
#SBATCH --job-name=pgak_sweep
#SBATCH --array=0-3
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --output=sweep-%a.out

set -eu
source "$HOME/pgak/.venv/bin/activate"
export PGAK_CACHE="$HOME/pgak_cache"

# srun passes Slurm's SIGTERM on, at which the sweep ends its commands.
srun pgak_sweep \
  --sweep=papers/rae_iclr2020/table1_mnist.sweep \
  --output_dir="$HOME/runs/table1_mnist" \
  --data_dir="$HOME/tensorflow_datasets" \
  --shard="$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
