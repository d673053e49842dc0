#!/bin/sh
# Starts the name service again with what is configured now, if that can be read.
set -eu
dnsmasq --test
pkill -x dnsmasq || true
