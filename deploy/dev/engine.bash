# shellcheck shell=bash disable=SC2154  # the variables are of ./dev
# Part of ./dev: a Docker Engine that answers.

run_dir=/var/run # where dockerd keeps its pid file and its socket
socket=$run_dir/docker.sock
recorded_pid=$state/dockerd.pid

engine() { "$python" "$root/deploy/dev/engine.py" "$@"; }

is_running() { # PID NAME: the pid may belong to somebody else by now, or be a zombie's
  [[ -n $1 && $(cat "/proc/$1/comm" 2>/dev/null || true) == "$2" ]] &&
    ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
}

ensure_engine() {
  engine version >/dev/null 2>&1 && return
  [[ -z ${DOCKER_HOST:-} ]] ||
    die "no Docker Engine answers at $DOCKER_HOST; start that one, or unset DOCKER_HOST to use this machine's"
  enter_socket_group
  start_engine
  enter_socket_group
}

# Not the docker group for good, which is root for good: the socket's group for this one run.
enter_socket_group() {
  [[ -z ${DOCKER_HOST:-} && -S $socket && ! -w $socket ]] || return 0
  [[ -z ${DEV_IN_SOCKET_GROUP:-} ]] || die "$socket is not writable, not even for its own group"
  have sudo || die "you may not use $socket: run ./dev as root, or as a member of its group"
  say "using sudo to lend this run the group of $socket (you are not in it)"
  release_lock
  # shellcheck disable=SC2093  # nothing follows an exec that succeeds
  exec sudo -E setpriv --reuid "$(id -u)" --regid "$(id -g)" \
    --groups "$(id -G | tr ' ' ','),$(stat -c %g "$socket")" \
    env HOME="$HOME" PATH="$PATH" DEV_IN_SOCKET_GROUP=yes "$root/dev" "${arguments[@]}"
}

start_engine() {
  is_running "$(cat "$recorded_pid" 2>/dev/null || true)" dockerd || rm -f "$recorded_pid"
  have dockerd || apt_install "no Docker Engine answers" docker.io iptables
  # It may run already: it is slow, or the package's own scripts have just started it.
  if is_running "$(dockerd_pid)" dockerd; then
    say "waiting for dockerd ($(dockerd_pid)), which runs but does not answer yet"
  elif [[ -d /run/systemd/system ]]; then
    say "starting the docker service (installed, but stopped)"
    as_root systemctl start docker || die "systemd could not start docker; see: systemctl status docker"
  else
    run_dockerd
  fi
  wait_for_engine
}

dockerd_pid() { cat "$run_dir/docker.pid" 2>/dev/null || true; }

run_dockerd() {
  say "starting dockerd (it is stopped, and no init system starts it); log in .state/dockerd.log"
  remove_stale_files
  mountpoint -q /sys/fs/cgroup || as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
  # Without job control setsid does not fork, so $! is dockerd. It must not inherit our lock.
  # shellcheck disable=SC2016  # $1 and $! are of the inner shell
  as_root sh -c 'setsid dockerd >"$1" 2>&1 </dev/null & echo $!' sh "$state/dockerd.log" \
    9>&- >"$recorded_pid"
}

# dockerd does not start while its pid file names any living process, and waits 15 s in vain for a
# containerd whose pid file does.
remove_stale_files() {
  local dir=$run_dir/docker/containerd pid
  pid=$(as_root cat "$dir/containerd.pid" 2>/dev/null || true)
  is_running "$pid" containerd || as_root rm -f "$dir/containerd.pid" "$dir"/*.sock "$dir"/*.sock.ttrpc
  as_root rm -f "$run_dir/docker.pid" "$socket"
  [[ ! -S /run/containerd/containerd.sock ]] || containerd_answers || {
    as_root rm -f /run/containerd/containerd.sock # dockerd would wait for it instead of starting its own
  }
}

containerd_answers() {
  as_root "$python" 2>/dev/null -c \
    'import socket; socket.socket(socket.AF_UNIX).connect("/run/containerd/containerd.sock")'
}

wait_for_engine() {
  local deadline=$((SECONDS + 60)) log=.state/dockerd.log
  [[ -e $recorded_pid ]] || log="journalctl -u docker"
  # As root: the socket may be of a group that we are not in.
  until as_root "$python" "$root/deploy/dev/engine.py" version >/dev/null 2>&1; do
    if [[ -e $recorded_pid ]] && ! is_running "$(<"$recorded_pid")" dockerd; then
      tail -n 15 "$state/dockerd.log" >&2
      die "dockerd ended at once; its last lines are above, all of them in $log"
    fi
    ((SECONDS < deadline)) || die "no Docker Engine answered within 60 s; see why: $log"
    sleep 0.3
  done
}

engine_origin() {
  if [[ -n ${DOCKER_HOST:-} ]]; then
    echo "at $DOCKER_HOST"
  elif is_running "$(cat "$recorded_pid" 2>/dev/null || true)" dockerd; then
    echo "started by ./dev, pid $(<"$recorded_pid")"
  else
    echo "started by this machine, not by ./dev"
  fi
}

stop_engine() {
  local pid deadline=$((SECONDS + 30))
  pid=$(cat "$recorded_pid" 2>/dev/null || true)
  rm -f "$recorded_pid"
  is_running "$pid" dockerd || return 0
  say "stopping dockerd ($pid), which ./dev started"
  as_root kill "$pid"
  while is_running "$pid" dockerd; do
    ((SECONDS < deadline)) || die "dockerd ($pid) still stops after 30 s; see .state/dockerd.log"
    sleep 0.2
  done
}
