# The hub and its command line. Stage one installs with uv; stage two gets the result, and no installer but its base's.
# Docker and Podman build it, BuildKit or not; `make image` gives the arguments.
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
LABEL dev.isthmus.stage=build
# Set by `make image OFFLINE=1`, whose wheels are fetched and checked before the build. They stay in this stage.
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX
ARG UV_FIND_LINKS
ARG UV_OFFLINE
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
COPY requirements build/image/wheels* /build/
RUN python3 -m venv /build/tools
RUN /build/tools/bin/python -m pip install --no-cache-dir --require-hashes --requirement /build/build.txt
RUN python3 -m venv --without-pip /opt/isthmus
RUN /build/tools/bin/uv pip install --python /opt/isthmus/bin/python --compile-bytecode --require-hashes \
    --requirement /build/runtime.txt
COPY LICENSE README.md pyproject.toml /build/source/
COPY operator /build/source/operator
RUN /build/tools/bin/uv build --wheel --no-build-isolation --python /build/tools/bin/python --out-dir /build/dist \
    /build/source
RUN /build/tools/bin/uv pip install --python /opt/isthmus/bin/python --compile-bytecode --no-deps --no-index \
    --find-links /build/dist isthmus

FROM ${BASE_IMAGE}
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="Isthmus" \
      org.opencontainers.image.description="The hub of a federation of Kubernetes clusters, and its command line" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/isthmus /opt/isthmus
ENV PATH=/opt/isthmus/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, so that a cluster that demands runAsNonRoot can tell that it is not root.
USER 65532:65532
ENTRYPOINT ["isthmus"]
