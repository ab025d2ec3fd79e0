#!/usr/bin/env bash
# Starts the daemon in a container, in the place of an old one. Arguments go to the program (-v, -t).
set -euo pipefail

IMAGE=${LAUNCH_IMAGE:-atddocker/atd-cctv-images}
ENV_FILE=${LAUNCH_ENV_FILE:-/home/publisher/atd-cctv-images/env_file}
LOG_DIR=${LAUNCH_LOG_DIR:-/var/log/cctv-images}
CONFIG_DIR=${LAUNCH_CONFIG_DIR:-/etc/cctv-images} # files that settings name; mounted when it exists
RUN_AS=10001:10001 # the image's user, who must be able to write the log

die() { echo "launch.sh: $*" >&2; exit 1; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

command -v docker > /dev/null || die "docker is not installed, or not in the PATH."
as_root test -f "$ENV_FILE" \
  || die "there is no $ENV_FILE; copy env_file.example there, or name yours in LAUNCH_ENV_FILE."

# the new image is here before the old container goes
as_root docker image inspect "$IMAGE" > /dev/null 2>&1 || as_root docker pull "$IMAGE"
as_root mkdir -p "$LOG_DIR"
if as_root docker container inspect cctv-images > /dev/null 2>&1; then
  as_root docker stop cctv-images > /dev/null
  as_root docker rm cctv-images > /dev/null
fi
as_root chown -R "$RUN_AS" "$LOG_DIR"

config=()
if as_root test -d "$CONFIG_DIR"; then config=(-v "$CONFIG_DIR:$CONFIG_DIR:ro"); fi

as_root docker run --name cctv-images \
  --network host \
  -d \
  --env-file "$ENV_FILE" \
  -v "$LOG_DIR":/app/cctv/_log \
  "${config[@]}" \
  --user "$RUN_AS" \
  --restart unless-stopped \
  --init \
  --stop-timeout 30 \
  --memory 1g \
  --pids-limit 512 \
  --read-only \
  --tmpfs /tmp \
  --cap-drop ALL \
  --security-opt no-new-privileges \
  --log-driver local \
  "$IMAGE" cctv/process_images.py "$@"
