# The program: one image for api, worker, gateway and the migration.
FROM debian:bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 991 --user-group --home-dir /var/lib/poligon --create-home poligon \
 && chmod 0700 /var/lib/poligon

# Where a site inspects TLS, its authorities are put here before the build.
COPY deploy/ca/ /usr/local/share/ca-certificates/
RUN update-ca-certificates

# A site's own package index; empty means the public one.
ARG PIP_INDEX_URL=
COPY requirements.lock /opt/poligon/
RUN python3 -m venv /opt/poligon/venv \
 && PIP_CERT=/etc/ssl/certs/ca-certificates.crt /opt/poligon/venv/bin/pip install \
      --no-cache-dir --disable-pip-version-check --require-hashes -r /opt/poligon/requirements.lock

# Last, because they change most.
WORKDIR /opt/poligon/app
COPY core core
COPY orchestrator orchestrator
COPY scoring scoring
COPY api api
COPY migrations migrations
COPY scenarios scenarios
COPY deploy/toolbox deploy/toolbox
# The root is read-only when it runs: what Python would cache is compiled now.
RUN /opt/poligon/venv/bin/python -m compileall -q core orchestrator scoring api migrations \
 && printf '%s\n' '#!/opt/poligon/venv/bin/python' 'from api.cli.main import run' 'run()' \
      >/usr/local/bin/poligon \
 && chmod +x /usr/local/bin/poligon

ENV PYTHONPATH=/opt/poligon/app POLIGON_HOME=/var/lib/poligon
USER poligon
ENTRYPOINT ["poligon"]
