#!/bin/sh
# Plays the scenario as analyst on the desk, from what a trainee can see there. Prints its answers as
# lines of: answer, task, value, with tabs between; and its replies: reply, inject, text.
set -eu
password=$(sed -n 's/^ *password: *//p' "$HOME/handover.txt")
portal() {
    sshpass -p "$password" ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR keeper@portal "$@"
}
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }
log=$(mktemp)
monitor=$(sed -n 's/^Our monitoring, \([0-9.]*\),.*/\1/p' "$HOME/handover.txt")
portal sudo cat /var/log/lighttpd/access.log | grep -v "^$monitor " > "$log"

# A program among the pictures that somebody gives words to.
use=$(grep -m 1 'GET /uploads/[^ ?]*\.pl?c=' "$log")
address=${use%% *}
answer address "$address"
name=$(echo "$use" | sed 's,.*GET /uploads/\([^?]*\)?.*,\1,')
answer shell_name "$name"

# The upload: that address's POST to the form, before the first use.
stamp=$(grep -F "$address " "$log" | grep -m 1 '"POST /cgi-bin/report.pl' | sed 's/.*\[\([^]]*\)\].*/\1/')
answer uploaded_at "$(date -u -d "$(echo "$stamp" | sed 's,/, ,g; s,:, ,')" +%Y-%m-%dT%H:%M:%SZ)"
answer shell_hash "$(portal sha256sum "/srv/portal/www/uploads/$name" | cut -d' ' -f1)"

account=$(portal sudo cat /var/log/auth.log | sed -n 's/.*new user: name=\([^,]*\),.*/\1/p')
answer account "$account"
tool=$(portal cat /etc/cron.d/locale-gen | grep -o '/usr/lib/[^ ]*')
answer tool_flag "$(portal cat "$tool" | grep -o 'PB{[^}]*}')"
register=$(portal sudo cat /var/log/auth.log | sed -n "s,.*sudo: *$account :.*COMMAND=/usr/bin/cat /srv/portal/private/,,p")
answer read_file "$register"

# For whoever wants the answers and leaves the world as it is.
[ -z "${LOOK_ONLY:-}" ] || exit 0

households=$(($(portal cat "/srv/portal/private/$register" | wc -l) - 1))
printf 'reply\tmayors_call\tOur front page was replaced in the night. The portal works and we are putting the page right. We do not know yet what else was touched; we shall say so at noon.\n'
printf 'reply\tdata_officer\tYes: %s with %s households was read on the server at %s or soon after. The log of sudo shows it; whether it was copied away we cannot tell.\n' "$register" "$households" "$stamp"
printf 'reply\tjournalist\tThe page was replaced by somebody who misused a form; that way is closed. The data protection officer has been informed and speaks for the municipality on data.\n'

# First what brings things back, then the things, then the ways: the job, the settings, the form.
portal sudo sh -eus "$account" "$tool" "$name" <<'INSIDE'
jobs=/srv/portal/jobs www=/srv/portal/www
mkdir -p -m 700 /root/evidence
cp -p "$www/uploads/$3" "$2" "$jobs/tidy" /root/evidence/

rm -f /etc/cron.d/locale-gen /etc/sudoers.d/locale
while pgrep -f "^sh $2" >/dev/null; do sleep 1; done
rm -rf "$(dirname "$2")" /var/lib/misc/.locale
sed -i "/$1/d" "$jobs/tidy"
chown -R root:root "$jobs"
chmod 755 "$jobs" "$jobs/tidy"
while pgrep -f "^/bin/sh $jobs/tidy" >/dev/null; do sleep 1; done
pkill -KILL -u "$1" || true
userdel -r "$1" 2>/dev/null

rm -f "$www/uploads/"*.pl
cp /var/backups/portal/www/index.html "$www/index.html"
chown -R root:root "$www"
chown www-data:www-data "$www/uploads"

cat >> /etc/lighttpd/lighttpd.conf <<'SETTINGS'

# Pictures of strangers are never programs.
$HTTP["url"] =~ "^/uploads/" { cgi.assign = () }
SETTINGS
sed -i 's/^    # Only pictures:.*/    page("415 Unsupported Media Type", "<p>Pictures only, please.") unless $name =~ m{\\A[^.]+\\.(?:png|jpe?g|gif)\\z}i;\n&/' "$www/cgi-bin/report.pl"
lighttpd -tt -f /etc/lighttpd/lighttpd.conf
perl -cw "$www/cgi-bin/report.pl" 2>/dev/null
pkill -x lighttpd
"$jobs/tidy"
INSIDE
