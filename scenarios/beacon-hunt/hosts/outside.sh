#!/bin/sh
# What stands for the internet: its name service, and the server that beacons call.
set -eu
: >/var/log/calls
dnsmasq --conf-file=/srv/dnsmasq.conf
exec perl /srv/server.pl
