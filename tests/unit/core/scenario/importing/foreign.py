"""Invented files of other programs, and a folder that they name files of."""

from pathlib import Path

COMPOSE = """\
version: "3.8"
name: Old blog
x-common: &common
  restart: unless-stopped
  environment: &settings
    LOG_LEVEL: debug
    TEMPLATE: "{{ user }} {% if %}"
services:
  web:
    <<: *common
    build:
      context: web
      dockerfile: Dockerfile.dev
      target: app
      args: {RELEASE: "1.4", NOT_ASKED: x}
    image: blog:local
    environment:
      <<: *settings
      DB_HOST: ${DB_HOST:-db}
      search.mode: single
      MISSING:
    env_file: settings.env
    command: run --port 8080 "with space"
    ports: ["8080:8080", "127.0.0.1:9000-9001:9000-9001", 5353:53/udp]
    volumes:
      - ./data:/srv/data:ro
      - ./run.sh:/usr/local/bin/run.sh
      - cache:/var/cache/blog
      - ./never:/opt/never
    depends_on: {db: {condition: service_healthy}}
    networks: {front: {aliases: [blog.example.test]}, back: {ipv4_address: 172.20.0.9}}
    labels: [a=b]
    user: "1000:1000"
    mem_limit: 256m
  db:
    image: postgres:13
    networks: [back]
    environment: [POSTGRES_PASSWORD=secret$$word]
    healthcheck: {test: ["CMD-SHELL", "pg_isready -U postgres"], interval: 1m30s}
    secrets: [db_password]
    deploy: {resources: {limits: {cpus: "0.5", memory: 50M}}}
networks:
  front: {}
  back: {internal: true, ipam: {config: [{subnet: 172.20.0.0/24}]}}
volumes: {cache: {}}
secrets: {db_password: {file: ./data/password.txt}}
"""
CHALLENGE = """\
name: The clerk's diary
author: A. Nobody
category: forensics
description: |-
  The clerk kept a diary. Which word did {{ they }} hide in it?

  Read from the end.
value: 150
type: standard
attempts: 7
image: web
connection_info: nc challenge.example.test 31337
flags:
  - "PG{first_word}"
  - {type: static, content: "PG{Second}", data: case_insensitive}
  - {type: regex, content: "PG\\\\{.*\\\\}"}
hints:
  - Look twice.
  - {content: It is in the margin., cost: 25}
files: [data/diary.txt, ./run.sh]
tags: [easy]
state: hidden
"""
TOPOLOGY = """\
name: two-sites
mgmt: {network: fixed, ipv4-subnet: 172.30.0.0/24}
topology:
  defaults: {env: {SITE: main}}
  kinds: {linux: {image: "alpine:3"}}
  nodes:
    edge:
      kind: linux
      image: nginx:1
      binds: ["data/site.conf:/etc/nginx/conf.d/site.conf:ro"]
      exec: ["ip addr add 10.0.0.1/24 dev eth1", "touch /tmp/ready now"]
      ports: ["8080:80"]
      env: {ROLE: edge}
    inner: {kind: linux, cmd: sleep 1d, memory: 64mb, cpu: 0.5}
    far: {kind: linux}
    sw: {kind: bridge}
  links:
    - endpoints: ["edge:eth1", "inner:eth1"]
    - endpoints: ["inner:eth2", "sw:p1"]
    - endpoints: ["far:eth1", "sw:p2"]
"""
DOCKERFILE = """\
FROM alpine:3 AS base
ARG RELEASE=0
FROM base AS app
RUN echo "$RELEASE"
EXPOSE 8080/tcp
FROM base AS later
RUN never
"""


def lay_out(folder: Path) -> Path:
    """Make the folder of these files, and return it."""
    for path, text in {
        "docker-compose.yml": COMPOSE,
        "challenge.yml": CHALLENGE,
        "two.clab.yml": TOPOLOGY,
        "settings.env": "# settings\nexport MODE='quiet'\nEMPTY=\nLEVEL: 3 # three\n",
        "web/Dockerfile": "FROM alpine:3\nEXPOSE 31337\n",
        "web/Dockerfile.dev": DOCKERFILE,
        "web/app.py": "print(1)\n",
        "data/password.txt": "secret\n",
        "data/diary.txt": "Dear diary\n",
        "data/site.conf": "server {}\n",
        "data/deep/page.html": "<p>\n",
        "run.sh": "#!/bin/sh\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "run.sh").chmod(0o755)
    return folder
