#!/bin/sh
# Plays the tabletop from what came with the messages, and hands in the papers beside this script.
# Prints lines of: answer, task, value; reply, inject, text; submit, task, file; with tabs between.
set -eu
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }
reply() { printf 'reply\t%s\t%s\n' "$1" "$2"; }
submit() { printf 'submit\t%s\t%s\n' "$1" "$2"; }

# Many failures, then a success, for one account from one address.
answer account "$(awk '
    / Failed password for / && !/invalid user/ { failed[$9 " " $11]++ }
    / Accepted password for / && failed[$9 " " $11] > 10 && !found { print $9; found = 1 }
    ' messages/gates_down/maintenance-auth.log)"

# 72 hours from the moment at which the duty officer classed the incident as significant: code S.
aware=$(awk -F';' '$2 == "S" { print $1 }' messages/gates_down/duty-register.csv)
seconds=$(date -u -d "$aware" +%s)
answer deadline "$(date -u -d "@$((seconds + 72 * 3600))" '+%Y-%m-%d %H:%M')"

digests() { tr 'A-F,;' 'a-f  ' <"$1" | grep -oE '[0-9a-f]{64}' | sort; }
digests messages/csirt_report/indicators-csirt.csv >/tmp/ours
digests messages/partner_report/indicators-partner.csv >/tmp/theirs
answer shared "$(grep -Fxf /tmp/ours /tmp/theirs)"

answer sentences 1,4,6
answer consular tell
answer preserve ilmora
answer request h

reply minister_call 'The registry copies at three crossings were deleted in the night; people cross after a check by hand. Who did it is not established; the next report is on Tuesday.'
reply travellers 'The school class and the patient are taken first, by an officer who asks for them now. The others wait about six hours; our consular line answers day and night.'
reply press_call 'The crossings work by hand, and the central registry is intact. Who is responsible is under investigation; we name nobody before it is established, and speak again tomorrow.'
reply ally 'We do not sign tomorrow: what we have does not show that a state did it. We propose to compare the evidence on Monday and to keep to the same words until then.'
reply offer 'We agree to talks between experts on Monday and to announcing them together. The statement will say that responsibility is not established; it can neither accuse nor clear anybody.'

for paper in situation_report note_verbale legal_assessment public_statement; do
    submit "$paper" "papers/$paper.md"
done
