# syntax=docker/dockerfile:1
# Two images from one file: `web` (web server, clock, migrations; no torch) and `worker` (with torch; small tasks, too).
#   docker build --target web -t atelier-web .
#   docker build --target worker -t atelier-worker --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu .

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/venv/bin:$PATH \
    ATELIER_HOME=/data \
    STATIC_ROOT=/srv/static \
    HF_HOME=/data/models/hub \
    HOME=/tmp
# The folders of the volumes belong to the user, and so do volumes that are made from them.
RUN groupadd --gid 10001 atelier \
    && useradd --uid 10001 --gid atelier --no-create-home --shell /usr/sbin/nologin atelier \
    && install -d -o atelier -g atelier /data /data/media /data/models /data/meaning
WORKDIR /app

# --- what is installed, apart from the code, so that a change of code downloads nothing -------------------------------
FROM base AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN pip install --constraint requirements.lock '.[web]'

FROM packages AS packages-worker
# The index says which build of torch comes: CUDA by default, or .../whl/cpu, .../whl/rocm6.4.
ARG TORCH_INDEX=https://pypi.org/simple
RUN pip install --constraint requirements.lock --index-url "$TORCH_INDEX" --extra-index-url https://pypi.org/simple torch \
    && pip install --constraint requirements.lock '.[web,worker]'

# --- the code --------------------------------------------------------------------------------------------------------
FROM packages AS code
COPY . .
RUN python -m compileall -q accounts config gallery generator \
    && ATELIER_HOME=/tmp/build SECRET_KEY=only-while-building python manage.py prepare --only static

FROM code AS code-web
RUN rm -r generator/diffusion/starter/weights

# --- the images ------------------------------------------------------------------------------------------------------
FROM base AS web
COPY --from=packages /opt/venv /opt/venv
COPY --from=code-web /srv/static /srv/static
COPY --from=code-web /app /app
USER atelier
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s CMD ["python", "-m", "config.probe", "web"]
CMD ["python", "-m", "config.web", "--host", "0.0.0.0", "--port", "8000"]

FROM base AS worker
COPY --from=packages-worker /opt/venv /opt/venv
COPY --from=code /app /app
USER atelier
HEALTHCHECK --interval=60s --timeout=20s --start-period=180s CMD ["python", "-m", "config.probe", "worker"]
CMD ["python", "-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "1", "-Q", "atelier", "--without-gossip", "--without-mingle"]
