# syntax=docker/dockerfile:1
# Stock Lab in one container. Build: docker build -t stocklab .
# Run:   docker run -d --name stocklab -p 127.0.0.1:8501:8501 -v stocklab:/var/lib/stocklab stocklab

FROM python:3.11-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /opt/stocklab
# Dependencies first: this layer is rebuilt only when the lock file changes.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY stocklab ./stocklab
# An editable install: the program runs from the checkout, as it does outside a container.
RUN uv sync --frozen --no-dev

FROM python:3.11-slim-bookworm AS final
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 stocklab \
    && useradd --uid 10001 --gid stocklab --no-create-home --home-dir /var/lib/stocklab --shell /usr/sbin/nologin stocklab \
    && install -d -o stocklab -g stocklab -m 0750 /var/lib/stocklab
WORKDIR /opt/stocklab
COPY --from=build /opt/stocklab/.venv ./.venv
# The product runs from its checkout: the entry, the pages and Streamlit's settings lie beside the package.
COPY app.py ./
COPY .streamlit/config.toml ./.streamlit/config.toml
COPY pages ./pages
COPY stocklab ./stocklab
# Compiled kernels go to the volume: they fit this machine's processor and survive an update of the image.
ENV PATH=/opt/stocklab/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STOCKLAB_HOME=/var/lib/stocklab \
    STOCKLAB_HOST=0.0.0.0 \
    STOCKLAB_PORT=8501 \
    STOCKLAB_ENV=prod \
    STOCKLAB_LOG_FORMAT=json \
    NUMBA_CACHE_DIR=/var/lib/stocklab/cache/numba \
    HOME=/var/lib/stocklab
USER stocklab
VOLUME ["/var/lib/stocklab"]
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/readyz', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["stocklab", "up"]
