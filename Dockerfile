# crm-sync as a container: state under /data, configuration at /etc/crm-sync/crm-sync.yaml.
# Runs with a read-only root filesystem; it writes to /data and /tmp alone.

ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# UV_SYSTEM_CERTS: a company's CA in the base image is enough, uv's own list would not know it
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 \
    UV_PROJECT_ENVIRONMENT=/opt/crm-sync
RUN ["python3", "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", \
     "--root-user-action=ignore", "--target", "/opt/uv", "uv>=0.13,<0.14"]
WORKDIR /src
COPY pyproject.toml uv.lock ./
RUN ["/opt/uv/bin/uv", "sync", "--quiet", "--locked", "--no-cache", "--no-dev", \
     "--extra", "postgres", "--extra", "telemetry", "--no-install-project"]
COPY README.md LICENSE ./
COPY config config
COPY connectors connectors
COPY profiles profiles
COPY sync_engine sync_engine
RUN ["/opt/uv/bin/uv", "sync", "--quiet", "--locked", "--no-cache", "--no-dev", \
     "--extra", "postgres", "--extra", "telemetry", "--no-editable"]

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/crm-sync /opt/crm-sync
# LOGNAME: decisions carry a person's name, and a number alone has none in /etc/passwd
ENV PATH=/opt/crm-sync/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CRM_SYNC_CONFIG=/etc/crm-sync/crm-sync.yaml \
    CRM_SYNC_LISTEN=0.0.0.0:8470 \
    HOME=/data \
    LOGNAME=crm-sync
RUN ["install", "-d", "-m", "0700", "-o", "10001", "-g", "10001", "/data"]
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8470
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["crm-sync", "health"]
ENTRYPOINT ["crm-sync"]
CMD ["run"]
# last, so that a new revision reuses every layer before
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="crm-sync" \
      org.opencontainers.image.description="Keeps people and companies equal in Salesforce, Dynamics 365 and Infobip Customer Profiles" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
