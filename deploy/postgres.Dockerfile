# PostgreSQL from Debian's packages: it builds where no image registry answers.
FROM debian:bookworm-slim

# A fixed id, so that a volume stays readable when the image is built again.
RUN groupadd --system --gid 990 postgres \
 && useradd --system --uid 990 --gid postgres --home-dir /var/lib/postgresql postgres \
 && apt-get update \
 && apt-get install -y --no-install-recommends postgresql-common \
 && sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
 && apt-get install -y --no-install-recommends postgresql-15 \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data

COPY deploy/postgres-entrypoint /usr/local/bin/
ENV PATH=/usr/lib/postgresql/15/bin:$PATH
USER postgres
EXPOSE 5432
# SIGTERM would wait for every client to leave; SIGINT ends their sessions and closes cleanly.
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
