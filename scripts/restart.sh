#!/usr/bin/env bash
# Restarts the daemon's container, for cron; does nothing while another restart is under way.
set -euo pipefail

exec 9< "$0"
flock --nonblock 9 || exit 0
if [ "$(id -u)" -eq 0 ]; then docker restart cctv-images; else sudo docker restart cctv-images; fi
