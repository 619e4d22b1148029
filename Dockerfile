# pgak for a CPU, or for NVIDIA's GPUs, whose libraries pip brings:
#
#   docker build -t pgak .
#   docker build -t pgak:gpu --build-arg EXTRAS=gpu .
#
#   docker run --rm -v "$PWD/runs:/work/runs" -v pgak_cache:/cache pgak \
#     pgak_train --run_dir=runs/digits --data=digits
#
# The user 1000 runs it. What is downloaded or prepared goes to /cache, the only
# folder besides /work that must be writable.
FROM python:3.12-slim

ARG EXTRAS=""

RUN useradd --create-home --uid 1000 pgak \
  && mkdir -p /cache /work \
  && chown pgak:pgak /cache /work

COPY . /source
RUN /source/docs/docker/install.sh /source /opt/pgak "$EXTRAS" \
  && rm -rf /source

ENV PATH=/opt/pgak/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PGAK_CACHE=/cache/pgak \
    TFDS_DATA_DIR=/cache/tensorflow_datasets \
    KERAS_HOME=/cache/keras \
    MPLCONFIGDIR=/cache/matplotlib \
    CUDA_CACHE_PATH=/cache/cuda \
    XDG_CACHE_HOME=/cache

USER pgak
WORKDIR /work
VOLUME /cache

# No shell in between, so that SIGTERM reaches pgak, which then keeps a
# checkpoint.
CMD ["pgak_train", "--help"]
