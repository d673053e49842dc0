#!/bin/sh
# Plays the scenario as analyst on the desk, from what a trainee can see there. Prints its answers as
# lines of: answer, task, value, with tabs between; and its replies: reply, inject, text.
set -eu
password=$(sed -n 's/^ *password: *//p' "$HOME/handover.txt")
on() { # HOST COMMAND…
    host=$1 && shift
    sshpass -p "$password" ssh -E ssh.log -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o ControlMaster=auto -o ControlPath='%h' -o ControlPersist=20s "keeper@$host" "$@"
}
cd "$(mktemp -d)"
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }
reply() { printf 'reply\t%s\t%s\n' "$1" "$2"; }

# Who renamed documents to an ending that one account alone gives, again and again?
on files sudo cat /var/log/samba/audit.log >audit.log
ending=$(awk -F'|' '$5 == "renameat" && $6 == "ok" { print $8 }' audit.log | sed 's/.*\.//' |
    grep -v '^txt$' | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
grep "|renameat|ok|.*\.$ending\$" audit.log >locked.log
account=$(head -n 1 locked.log | sed 's/.*: //' | cut -d'|' -f1)
answer origin "$account, $(head -n 1 locked.log | cut -d'|' -f3)"
shares=$(cut -d'|' -f4 locked.log | sort -u)
answer shares "$(echo $shares)"

# The log has no year: it is the latest one that does not put the line into the future.
stamp() {
    at=$(date -u -d "$1" +%s)
    [ "$at" -le "$(date -u +%s)" ] || at=$(date -u -d "$1 1 year ago" +%s)
    date -u -d "@$at" '+%F %H:%M:%S'
}
first=$(stamp "$(head -n 1 locked.log | cut -c1-15)")
last=$(stamp "$(tail -n 1 locked.log | cut -c1-15)")
answer span "$first; $last"

# What came to that account, failed its tests and brings something with it.
on files sudo cat "/var/mail/$account" | awk '
    /^From / { fails = 0; from = "" }
    /^From: / { from = $NF }
    /^Authentication-Results: .*spf=fail/ { fails = 1 }
    /^Content-Disposition: attachment/ && fails { print from }' | tr -d '<>' >lure
answer lure "$(cat lure)"
answer note "$(on files "sudo sh -c 'cat /srv/shares/*/READ_ME*'" | grep -o 'MN{[^}]*}' | sort -u)"

# What runs as that account; its key is in its environment.
program=$(on files "ps -u $account -o args=" | grep -o '/[^ ]*fontwatch' | head -n 1)
process=$(on files "pgrep -u $account -o fontwatch")
key=$(on files "sudo -u $account cat /proc/$process/environ" | tr '\0' '\n' | sed -n 's/^SPOOL_KEY=//p')
answer key "$key"

# The youngest set whose archives of those shares are what was written, and readable.
set=$(on backup sh -eus "$ending" $shares <<'INSIDE'
ending=$1 && shift
for set in $(ls -r /srv/backup); do
    cd "/srv/backup/$set"
    ! grep -q "\.$ending\$" MANIFEST || continue
    for share; do grep " $share\.tar\.gz\$" SHA256SUMS; done >/tmp/wanted
    ! sha256sum --quiet -c /tmp/wanted >&2 || { echo "$set" && break; }
done
INSIDE
)
answer set "$set"

# For whoever wants the answers and leaves the world as it is.
[ -z "${LOOK_ONLY:-}" ] || exit 0

reply minister 'We recommend not to pay. Three shares are locked, backups of them exist, and nothing would be certain after a payment.'
reply staff 'Documents on the file server were locked by an intruder. Open no attachments, leave your computer on and unplugged from the network if you see the note; next news at noon.'
reply authority "Known since this morning. Shares: $(echo $shares), $(wc -l <locked.log) documents, and the registry. Newer documents than those of $set may be lost. Whether data left is not known yet."
reply journalist 'We do not negotiate. Documents were locked and are being restored; whether copies were taken is being examined, and we shall say so.'
reply back_at_work "What was filed after $set has to be filed again; every restored document was compared with the hash list of its set."

# Freeze, end and shut out; nothing is removed but the key that lets the intruder in.
on files sudo sh -eus "$account" "$program" <<'INSIDE'
pkill -STOP -u "$1"
pkill -KILL -u "$1"
mv "$2" /srv/evidence/
chmod 600 /srv/evidence/*
passwd -q -l "$1"
usermod -s /usr/sbin/nologin "$1"
mv "$(getent passwd "$1" | cut -d: -f6)/.ssh/authorized_keys" /srv/evidence/
INSIDE

for share in $shares; do
    on backup "cat /srv/backup/$set/$share.tar.gz" | on files sudo tar -xzf - -C /srv/shares
done
on backup "cat /srv/backup/$set/MANIFEST" | grep -E "  ($(echo $shares | tr ' ' '|'))/" >manifest
on files "sudo sh -c 'cd /srv/shares && sha256sum --quiet -c'" <manifest

on files sudo sh -eus "$key" "$ending" <<'INSIDE'
cd /srv/shares/registry
export SPOOL_KEY=$1
for locked in *."$2"; do
    openssl enc -d -aes-256-cbc -pbkdf2 -nosalt -pass env:SPOOL_KEY -in "$locked" -out "${locked%."$2"}"
    rm "$locked"
done
INSIDE
