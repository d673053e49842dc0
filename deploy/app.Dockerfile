# The program: one image for api, worker, gateway, broker and the migration.

# Scripts of pages that are not in the repository: those that ./dev has fetched, else what npm gets.
FROM debian:bookworm-slim AS scripts
COPY deploy/ca/ /usr/local/share/ca-certificates/
# A site's own package registry; empty means the public one.
ARG NPM_REGISTRY=
WORKDIR /made
COPY package.json package-lock.json .npmrc ./
COPY deploy/vendor deploy/
COPY api/web/static api/web/static
RUN deploy/vendor --fresh || { \
 apt-get update && apt-get install -y --no-install-recommends ca-certificates npm \
 && update-ca-certificates \
 && env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
      ${NPM_REGISTRY:+NPM_CONFIG_REGISTRY=$NPM_REGISTRY} deploy/vendor; }

FROM debian:bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
      fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 991 --user-group --home-dir /var/lib/poligon --create-home poligon \
 && chmod 0700 /var/lib/poligon \
 && install -d -o poligon -g poligon -m 0750 /run/poligon

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
COPY --from=scripts /made/api/web/static/vendor api/web/static/vendor
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
