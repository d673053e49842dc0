# shellcheck shell=bash disable=SC2154  # the variables are of ./dev
# Part of ./dev: the images that everything starts from.

ensure_base_image() {
  ! engine has "$base_image" || return 0
  stop_if_offline "the image $base_image" "every other image starts from it"
  say "pulling $base_image (every other image starts from it)"
  engine pull "$base_image" 2>"$state/pull.log" || make_base_image
}

make_base_image() ( # in a subshell, for its trap
  have debootstrap || apt_install "no image registry answers" debootstrap
  [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
    apt_install "debootstrap verifies Debian with it" debian-archive-keyring
  mirror=$(debian_mirror '^[a-z]+$')
  with=()
  [[ $mirror != https:* ]] || with=(--include=ca-certificates)
  say "making $base_image with debootstrap (no image registry answers); this takes about a minute"
  tree=$(as_root mktemp -d /var/tmp/cyberpoligon-base.XXXXXX)
  trap 'as_root rm -rf --one-file-system "$tree"' EXIT
  # Without a mirror debootstrap takes its own.
  as_root debootstrap --variant=minbase "${with[@]}" bookworm "$tree" ${mirror:+"$mirror"} \
    >"$state/debootstrap.log" 2>&1 || {
    tail -n 5 "$state/debootstrap.log" >&2
    die "debootstrap failed; its last lines are above, all of them in .state/debootstrap.log"
  }
  slim_down "$tree"
  [[ -z $mirror ]] || image_sources "$mirror" | as_root tee "$tree/etc/apt/sources.list" >/dev/null
  as_root tar -C "$tree" -c . | engine import "$base_image"
)

# As the published image: no documentation, no other languages, and apt keeps nothing.
slim_down() { # TREE
  as_root sh -s "$1" <<'TEXT'
set -eu
cd "$1"
for kind in doc info locale man; do find "usr/share/$kind" -type f ! -name copyright -delete; done
rm -rf var/cache/apt/*.bin var/cache/apt/archives/*.deb var/lib/apt/lists/* var/log/bootstrap.log
printf 'path-exclude /usr/share/%s/*\n' doc info locale man >etc/dpkg/dpkg.cfg.d/slim
printf 'path-include /usr/share/doc/*/copyright\n' >>etc/dpkg/dpkg.cfg.d/slim
printf 'Apt::Install-Recommends "false";\nAcquire::Languages "none";\n' >etc/apt/apt.conf.d/slim
printf 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n' >>etc/apt/apt.conf.d/slim
: >etc/machine-id
if [ -x usr/sbin/update-ca-certificates ]; then
  cp /usr/local/share/ca-certificates/*.crt usr/local/share/ca-certificates/ 2>/dev/null || true
  chroot . update-ca-certificates >/dev/null 2>&1
fi
TEXT
}

# apt itself knows which of its sources is Debian's; on a derivative none is.
debian_mirror() { # PATTERN of the suite
  if [[ -z $(apt_debian_sources) ]] && grep -q '^ID=debian$' /etc/os-release; then apt_update_once; fi
  apt_debian_sources | awk -v pattern="$1" '$1 ~ pattern { print $2; exit }'
}

apt_debian_sources() {
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' 2>/dev/null || true
}

image_sources() { # MIRROR
  local security
  security=$(debian_mirror '-security$')
  printf 'deb %s %s main\n' "$1" bookworm "$1" bookworm-updates
  [[ -z $security ]] || printf 'deb %s bookworm-security main\n' "$security"
}

ensure_images() {
  ensure_engine
  copy_authorities
  ensure_base_image
}

# What a later --offline run takes from the engine's cache.
build_scenario() { # ID
  [[ ! -e $root/scenarios/$1/scenario.yaml ]] || poligon scenario build "$root/scenarios/$1"
}

# Each test's site has one of its own, made from the layers of this one while it stands.
build_toolbox() {
  "$python" -c 'from api.bootstrap import open_engine
from core.settings import read_settings
from orchestrator.domain.world import ImageBuild
from orchestrator.engine.toolbox_name import toolbox_context, toolbox_reference

settings = read_settings()
reference = toolbox_reference(settings.installation)
build = ImageBuild(reference=reference, context=toolbox_context(), host="toolbox")
open_engine(settings).build_image(build)'
}

# The values that a deployment must have are not in its images.
build_deployment() {
  say "building the images of docker-compose.yml (a test runs them)"
  POSTGRES_PASSWORD=- REDIS_PASSWORD=- DOCKER_GID=0 \
    compose -f "$root/docker-compose.yml" build >"$state/compose.log" 2>&1 || {
    tail -n 15 "$state/compose.log" >&2
    die "the images of docker-compose.yml did not build; the whole log is .state/compose.log"
  }
}

compose() {
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}
