#!/bin/sh
# Plays the scenario as a trainee could. Prints lines of: answer, task, value, with tabs between.
set -eu
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }

answer who "$(awk '$NF != "ana" { name = $NF } END { print name }' /var/log/visits.log)"
answer mark "$(grep -o 'MARK{[^}]*}' "$HOME/plan.txt")"
chmod 600 "$HOME/plan.txt"
