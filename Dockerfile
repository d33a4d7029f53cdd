# CUDA-ready: the torch wheel brings its own CUDA libraries, the host brings the driver (docker run --gpus all).
#   docker build -t robustlit . && docker run --rm --gpus all --shm-size=2g -v "$PWD/runs:/home/robustlit/app/runs" robustlit
FROM python:3.12-slim

RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 robustlit

USER robustlit
WORKDIR /home/robustlit/app
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NO_ALBUMENTATIONS_UPDATE=1 \
    PIP_NO_CACHE_DIR=1

COPY --chown=robustlit:robustlit . .
RUN mkdir -p runs && scripts/environment
ENV PATH="/home/robustlit/app/.venv/bin:$PATH"

# TensorBoard: docker run -p 6006:6006 robustlit tensorboard --logdir runs --host 0.0.0.0
EXPOSE 6006
CMD ["scripts/quickstart"]
