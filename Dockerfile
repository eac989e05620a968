# syntax=docker/dockerfile:1
# Stock Lab in one container. Build: docker compose build   (or: docker build -t stocklab:local .)
# Run:   docker run -d --name stocklab -p 127.0.0.1:8501:8501 -v stocklab:/data stocklab:local
# Nothing here depends on the processor: the same file builds for amd64 and arm64.

FROM python:3.11-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /opt/stocklab
# Dependencies first: this layer is rebuilt only when the lock file changes.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
# An editable install: the program runs from the checkout, as it does outside a container.
COPY stocklab ./stocklab
RUN uv sync --frozen --no-dev
# The engine is compiled here, so that the first start need not. On another kind of processor it is compiled once more.
# Compiled code is taken only if the times of its sources are the same: whole seconds survive packing into a layer.
RUN find stocklab -name '*.py' -exec touch -d '2026-01-01 00:00:00' {} + \
    && .venv/bin/python -m compileall -q stocklab \
    && NUMBA_CACHE_DIR=/opt/stocklab/compiled .venv/bin/python -m stocklab.research.compile_ahead \
    && find stocklab -name '*.py' | LC_ALL=C sort | xargs sha256sum | sha256sum > compiled/.of

FROM python:3.11-slim-bookworm AS final
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 0750 /data
WORKDIR /opt/stocklab
COPY --from=build /opt/stocklab/.venv ./.venv
COPY --from=build /opt/stocklab/compiled ./compiled
# The product runs from its checkout: the entry, the pages and Streamlit's settings lie beside the package.
COPY app.py ./
COPY .streamlit/config.toml ./.streamlit/config.toml
COPY pages ./pages
COPY --from=build /opt/stocklab/stocklab ./stocklab
COPY --chmod=0755 container/entrypoint.sh /usr/local/bin/stocklab-entrypoint
COPY --chmod=0755 container/stocklab.sh /usr/local/bin/stocklab
ENV PATH=$PATH:/opt/stocklab/.venv/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STOCKLAB_HOME=/data \
    STOCKLAB_HOST=0.0.0.0 \
    STOCKLAB_PORT=8501 \
    STOCKLAB_ENV=prod \
    STOCKLAB_LOG_FORMAT=json \
    NUMBA_CACHE_DIR=/data/cache/compiled \
    HOME=/data \
    PUID=10001 \
    PGID=10001
VOLUME ["/data"]
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=180s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['STOCKLAB_PORT'] + '/readyz', timeout=4)"]
# The entrypoint takes the volume over for PUID:PGID and gives up root before anything of Stock Lab runs.
ENTRYPOINT ["stocklab-entrypoint"]
CMD ["stocklab", "up"]
