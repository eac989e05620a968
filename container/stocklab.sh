#!/bin/sh
# `docker exec CONTAINER stocklab ...` comes in as root: this gives root up first, so that no file of the volume is root's.
exec stocklab-entrypoint /opt/stocklab/.venv/bin/stocklab "$@"
