#!/bin/sh
# Plays the scenario as analyst on the workstation, from what a trainee can see there. Prints lines of:
# answer, task, value; submit, task, file; reply, inject, text; with tabs between.
set -eu
password_of() { awk -F'\t' -v host="$1" -v account="$2" '$1 == host && $2 == account { print $3 }' passwords.tsv; }
keeper=$(password_of files keeper)
files() {
    sshpass -p "$keeper" ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR keeper@files "$@"
}
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }

# Many failures, then a success, for one account from one address.
log=$(mktemp)
files sudo cat /var/log/auth.log >"$log"
line=$(awk '
    / Failed password for / && !/invalid user/ { failed[$9 " " $11]++ }
    / Accepted password for / && failed[$9 " " $11] > 10 && !found { print; found = 1 }' "$log")
account=$(echo "$line" | awk '{ print $9 }')
source=$(echo "$line" | awk '{ print $11 }')
answer find_door "$account"
answer how_many "$(grep -c "Failed password for $account from $source " "$log")"

# The log has no year: it is the latest one that does not put the line into the future.
stamp=$(echo "$line" | cut -c1-15)
at=$(date -u -d "$stamp" +%s)
[ "$at" -le "$(date -u +%s)" ] || at=$(date -u -d "$stamp 1 year ago" +%s)
answer when_in "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"

# What the intruder typed, and where the machine has called ever since.
taken=$(files sudo cat "/home/$account/.bash_history" | sed -n 's|^cp "/srv/share/\(.*\)" .*|\1|p')
answer what_left "$taken"
address=$(files sudo cat /evidence/edge.pcap |
    tcpdump -nqr - 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and dst portrange 20000-40000' 2>/dev/null |
    awk '{ split($5, part, "."); calls[part[1] "." part[2] "." part[3] "." part[4]]++ }
         END { for (one in calls) if (calls[one] > 10) print one }')
answer from_where "$address"
answer note "$(files sudo cat /root/.note)"

# For whoever wants the answers and leaves the world as it is.
[ -z "${LOOK_ONLY:-}" ] || exit 0

# First what brings it back, then the rest.
files sudo sh -eus "$account" <<'INSIDE'
crontab -u "$1" -r
pkill -KILL -u "$1" || true
while pgrep -u "$1" >/dev/null; do sleep 0.2; done
userdel -r "$1" 2>/dev/null || true
INSIDE

report=$(mktemp -d)/report.md
cat >"$report" <<REPORT
# The harbour invoice: report of the team

- $stamp UTC: the account $account of the file server was entered from $source after about 240 guesses (auth.log).
- Minutes later $taken was copied and sent to $address; a beacon was installed (history of the account, edge.pcap).
- Done: the account's crontab, its processes and the account itself were removed; logs and mail were kept.
- To do: tell those whom the document concerns, change passwords, allow keys alone for SSH.
REPORT
printf 'submit\treport\t%s\n' "$report"
printf 'reply\tpress_call\tWe are looking into an incident. Nobody depends on it for work at sea; we shall tell more at noon.\n'
