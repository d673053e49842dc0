# Redis from Debian's packages: it builds where no image registry answers.
FROM debian:bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/*

COPY deploy/redis-entrypoint /usr/local/bin/
USER redis
WORKDIR /tmp
EXPOSE 6379
ENTRYPOINT ["redis-entrypoint"]
