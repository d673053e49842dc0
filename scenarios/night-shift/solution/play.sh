#!/bin/sh
# Plays the scenario as analyst on the desk, from what a trainee can see there. Prints its answers as
# lines of: answer, task, value, with tabs between; and its replies: reply, inject, text.
set -eu
password=$(sed -n 's/^ *password: *//p' "$HOME/handover.txt")
office() {
    sshpass -p "$password" ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR keeper@office "$@"
}
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }

# Many failures, then a success, for one account from one address.
line=$(office sudo cat /var/log/auth.log | awk '
    / Failed password for / && !/invalid user/ { failed[$9 " " $11]++ }
    / Accepted password for / && failed[$9 " " $11] > 10 && !found { print; found = 1 }')
account=$(echo "$line" | awk '{ print $9 }')
answer who "$account"
origin=$(echo "$line" | awk '{ print $11 }')
answer origin "$origin"
answer tries "$(office "sudo grep -c 'Failed password for $account from $origin ' /var/log/auth.log")"

# The log has no year: it is the latest one that does not put the line into the future.
stamp=$(echo "$line" | cut -c1-15)
at=$(date -u -d "$stamp" +%s)
[ "$at" -le "$(date -u +%s)" ] || at=$(date -u -d "$stamp 1 year ago" +%s)
answer when "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"

tool=$(office cat /etc/cron.d/cache-sync | grep -o '/usr/local/[^ ]*' | head -n 1)
answer mark "$(office cat "$tool" | grep -o 'NS{[^}]*}')"

# For whoever wants the answers and leaves the world as it is.
[ -z "${LOOK_ONLY:-}" ] || exit 0

printf 'reply\tmayors_call\tSomebody came in at night with a guessed password. The door is being closed.\n'

# First what brings it back, then the rest. A run under way may still finish, so wait for it.
office sudo sh -eus "$account" "$tool" <<'INSIDE'
rm -f /etc/cron.d/cache-sync /var/tmp/.fontcache
while pgrep -x sync.sh >/dev/null; do sleep 1; done
rm -rf "$(dirname "$2")"
pkill -KILL -u "$1" || true
passwd -q -l "$1"
usermod -s /usr/sbin/nologin "$1"
rm -f "$(getent passwd "$1" | cut -d: -f6)/.ssh/authorized_keys"
INSIDE
