#!/bin/sh
# Plays the scenario as analyst on the desk, from what a trainee can see there. Prints its answers as
# lines of: answer, task, value, with tabs between; and its replies: reply, inject, text.
set -eu
password_of() { sed -n "s/^ *ssh $1@.*password: *\([^ ]*\).*/\1/p" "$HOME/handover.txt"; }
on() { # ACCOUNT HOST COMMAND…
    account=$1 host=$2
    shift 2
    sshpass -p "$(password_of "$account")" ssh -o StrictHostKeyChecking=no \
        -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$account@$host" "$@"
}
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }

# Every connection that begins: when, from whom, to which address, at which port.
begun=$(mktemp)
tcpdump -ttnr /evidence/edge.pcap 'tcp[13] & 18 = 2' 2>/dev/null | awk '
    { split($3, from, "."); split($5, to, /[.:]/)
      print $1, from[1] "." from[2] "." from[3] "." from[4], to[1] "." to[2] "." to[3] "." to[4], to[5] }' >"$begun"

# The pair of address and port that is called most, and by whom.
called=$(awk '{ print $3, $4 }' "$begun" | sort | uniq -c | sort -n | awk 'END { print $2, $3 }')
server=${called% *} port=${called#* }
answer server "$server"
answer port "$port"
machines=$(awk -v s="$server" -v p="$port" '$3 == s && $4 == p { print $2 }' "$begun" | sort -u)
answer machines "$(echo "$machines" | paste -sd, -)"
one=$(echo "$machines" | head -n 1)
answer period "$(awk -v s="$server" -v p="$port" -v m="$one" '
    $2 == m && $3 == s && $4 == p { if (!n++) first = $1; last = $1 }
    END { printf "%.0f", (last - first) / (n - 1) }' "$begun")"

log=$(mktemp)
on dnsadmin resolver cat /var/log/dnsmasq/queries.log.1 >"$log"
name=$(awk -v s="$server" '/: reply / && $NF == s { print $(NF - 2); exit }' "$log")
answer name "$name"

# The log has no year: it is the latest one that does not put the line into the future.
stamp=$(grep -F "query[A] $name " "$log" | head -n 1 | cut -c1-15)
at=$(date -u -d "$stamp" +%s)
[ "$at" -le "$(date -u +%s)" ] || at=$(date -u -d "$stamp 1 year ago" +%s)
answer first "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"

carried=$(grep -o 'query\[TXT\] [^ ]*' "$log" | cut -d' ' -f2)
tunnel=$(echo "$carried" | head -n 1 | cut -d. -f3-)
answer loot "$(echo "$carried" | cut -d. -f1 | perl -ne 'chomp; print pack "H*", $_' | grep -o 'BH{[^}]*}')"

# For whoever wants the answers and leaves the world as it is.
[ -z "${LOOK_ONLY:-}" ] || exit 0

printf 'reply\tcsirt_asks\tSearch resolver logs for %s and %s and edge logs for %s, TCP port %s. All four are seen in our own logs and captures, from three machines, since %s.\n' \
    "$name" "$tunnel" "$server" "$port" "$stamp"
printf 'reply\tdirector_asks\tThe counter stays open. A list of appointments left the house yesterday; we are finding out whom it names.\n'

sinkhole=$(getent hosts resolver | awk '{ print $1; exit }')
printf 'address=/%s/%s\n' "$name" "$sinkhole" "$tunnel" "$sinkhole" |
    on dnsadmin resolver 'sudo tee /etc/dnsmasq.d/sinkhole.conf >/dev/null && sudo restart-resolver 2>/dev/null'

# First what brings it back, then the rest.
on support station sudo sh -eu <<'INSIDE'
rm -f /etc/cron.d/print-spooler
pkill -x spoolerd || true
rm -rf /var/tmp/.lpd /usr/local/lib/print
INSIDE
# A call that was missed shows after a while.
sleep 12
