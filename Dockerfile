# The daemon's image; `--target street` builds one with the dummy cameras.
FROM python:3.13-slim AS app

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=1000000

WORKDIR /app

COPY deploy/requirements.lock deploy/
RUN pip install --no-cache-dir --root-user-action=ignore \
    --no-deps --only-binary=:all: --require-hashes -r deploy/requirements.lock

COPY cctv cctv
# the command `cctv` runs this same folder, so that its default log folder is the daemon's;
# modes are set because a checkout may have come through a zip file or a strict umask
RUN printf '#!/bin/sh\nexec python3 -m cctv "$@"\n' > /usr/local/bin/cctv \
    && chmod a+rx /usr/local/bin/cctv cctv/process_images.py \
    && chmod -R a+rX cctv \
    && python3 -m compileall -q cctv \
    && mkdir -p cctv/_log \
    && chown 10001:10001 cctv/_log

USER 10001:10001


FROM app AS street

USER 0:0
COPY dev/street.lock dev/
RUN pip install --no-cache-dir --root-user-action=ignore \
    --no-deps --only-binary=:all: --require-hashes -r dev/street.lock
COPY dev dev
RUN chmod -R a+rX dev \
    && mkdir -p street \
    && chown 10001:10001 street
USER 10001:10001
CMD ["python3", "dev/dummy_api.py", "--cameras", "24", "--inventory", "street/street.csv"]


FROM app

STOPSIGNAL SIGTERM
# healthy: pictures flow; Docker marks a sick container and leaves restarting it to you
HEALTHCHECK --interval=60s --timeout=15s --start-period=120s --retries=3 CMD ["cctv", "health"]
CMD ["cctv/process_images.py"]

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cctv-images" \
      org.opencontainers.image.description="Turns a fleet of traffic cameras into public still images that are never wrong" \
      org.opencontainers.image.licenses="CC0-1.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
