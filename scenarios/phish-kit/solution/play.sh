#!/bin/sh
# Plays the scenario as analyst on the workstation, from what a trainee can see there. Prints its
# answers as lines of: answer, task, value, with tabs between; and its replies: reply, inject, text.
set -eu
cd "$HOME"
original=/evidence/KT-1/stick.img server=/evidence/KT-2
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }
hash_of() { sha256sum <"$1" | cut -c1-64; }
enter() { printf '%s,%s,%s,%s,Mara Example\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$2" "$3" >>custody.csv; }

# First secure: compare with the record, seal, copy, write down.
sum=$(hash_of "$original")
grep -q "SHA-256  $sum" /evidence/seizure-record.txt
copy=work/stick.img
if [ -z "${LOOK_ONLY:-}" ]; then
    chmod 0444 "$original"
    mkdir -p work
    cp "$original" "$copy"
    enter KT-1 "$sum" received
else
    copy=$original
fi

kit=$server/var/www/parcel
drop=$(sed -n "s/^\$drop .*base64_decode('\([^']*\)').*/\1/p" "$kit/config.php" | base64 -d)
answer drop "$drop"
page=$(sed -n "s/^\$host .*'\(.*\)'.*/\1/p" "$kit/config.php")

jq -r .mail "$kit/.cache/victims.jsonl" | tr A-Z a-z | grep -v "@$page$" | sort -u >/tmp/victims
answer victims "$(wc -l </tmp/victims)"
answer most_hit "$(cut -d@ -f2 /tmp/victims | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')"

upload=$(grep '"POST /panel/' "$server/var/log/nginx/access.log")
stamp=$(echo "$upload" | sed 's/.*\[\([^ ]*\) .*/\1/; s,/, ,g; s/:/ /')
answer online "$(date -u -d "$stamp" +%Y-%m-%dT%H:%M:%SZ)"

address=$(sed -n 's/.* Accepted publickey for deploy from \([^ ]*\) .*/\1/p' "$server/var/log/auth.log" |
    sort -u | grep -vxFf vpn-exits.txt)
[ "$address" = "$(echo "$upload" | cut -d' ' -f1)" ]
answer operator_address "$address"

handle=$(sed -n 's/^Good evening \(.*\),$/\1/p' "$server/var/mail/deploy")
answer handle "$handle"

mounted=$(grep -B 1 '^sudo mount ' "$server/home/deploy/.bash_history" | sed -n 's/^#//p' | tail -n 1)
answer stick_in "$(date -u -d "@$mounted" +%Y-%m-%dT%H:%M:%SZ)"

recovered() { icat -r "$copy" "$(fls "$copy" | sed -n "s/.*\* \([0-9]*\):.*$1.*/\1/p")"; }
answer payout "$(recovered payout.csv | grep -o 'PK{[^}]*}')"
answer next_wave "$(recovered next.txt | grep -o '[a-z-]*\.example')"

# For whoever wants the answers and leaves the world as it is.
[ -z "${LOOK_ONLY:-}" ] || exit 0

printf 'reply\tshortcut\tNo. A repair writes to the original, and what it overwrites is lost; we recover from a copy.\n'
printf 'reply\tpreservation\tComputer fraud with a false parcel page. Subscriber and connection data of %s, around %s UTC; deleted within days.\n' "$address" "$stamp"

cat >report.txt <<TEXT
Report. Item KT-1 was compared with the record of seizure, sealed and copied; SHA-256 $sum.
Victims: $(wc -l </tmp/victims) (victims.jsonl, each address once, without the operator's tests).
Drop address: $drop (config.php, the line that is not switched off).
Operator: $handle (var/mail/deploy), own address $address (auth.log and access.log agree).
Not known: who stands behind the address; this is for the access provider to say. The list.asc on
the stick is encrypted and was not read.
TEXT
enter report.txt "$(hash_of report.txt)" handed-over
