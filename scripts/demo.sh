#!/usr/bin/env bash
# Shows the daemon at work on a street of 24 dummy cameras, until Ctrl-C. Writes .venv and .demo.
# VENV=folder takes a virtual environment that has everything, and installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "demo.sh: $*" >&2; exit 1; }

exec 9< scripts/demo.sh
flock --nonblock 9 || die "it runs already in this folder."
python=$(scripts/venv.sh dev/street.lock)/bin/python
# nothing of the user's shell reaches the two programs
clean=(env -i "PATH=$PATH" "HOME=${HOME:-/}" "PYTHONPATH=$PWD" PYTHONUNBUFFERED=1 "$python")

free_port() {
  "${clean[@]}" - "$1" << 'EOP'
import socket, sys
for port in (int(sys.argv[1]), 0):
    try:
        with socket.create_server(("", port)) as server:
            print(server.getsockname()[1])
            break
    except OSError:
        continue
EOP
}

# shellcheck disable=SC2329 # in_time calls it
any_picture() {
  "${clean[@]}" - "$1" 2> /dev/null << 'EOP'
import sys, urllib.request
for camera in range(1, 25):
    try:
        with urllib.request.urlopen(f"{sys.argv[1]}image/{camera}.jpg", timeout=2) as answer:
            if answer.headers["x-amz-meta-state"] == "live":
                sys.exit(0)
    except OSError:
        continue
sys.exit(1)
EOP
}

# in_time WORDS COMMAND…: waits until the command succeeds and both programs live, for a minute
in_time() {
  local words=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ] || [ "$(jobs -pr | wc -l)" -lt "${#programs[@]}" ]; then
      tail -n 20 .demo/*.out >&2
      die "$words"
    fi
    sleep 0.1
  done
}

rm -rf .demo
mkdir .demo
street=$(free_port 8081)
page=$(free_port 8080)
cat > .demo/env << EOF_ENV
CCTV_INVENTORY=.demo/street.csv
CCTV_STORE=.demo/public
CCTV_LOG_DIR=.demo/log
CCTV_HTTP=127.0.0.1:$page
CCTV_INTERVAL=10
CCTV_CAMERA_NETWORKS=127.0.0.0/8
CAMERA_USERNAME=user
CAMERA_PASSWORD=pass word:%
EOF_ENV

programs=()
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'trap "" INT TERM HUP; kill "${programs[@]}" 2> /dev/null; wait' EXIT
sick="4=hang_hdr 7=wrong_password 10=html_login 13=trunc_eoi 16=status_503_busy 19=grey_bottom 22=refused"
odd="2=cl_short 5=http09 8=mjpeg 11=no_dht 14=wrong_model:dahua 17=black 20=trail_dhav 23=digest_one_time"
read -ra modes <<< "$sick $odd"
# each in a session of its own: Ctrl-C reaches them once, through this script
setsid "${clean[@]}" dev/street.py --cameras 24 --control "$street" --csv .demo/street.csv \
  "${modes[@]/#/--mode=}" > .demo/street.out 2>&1 9<&- &
programs+=($!)
in_time "the street did not open." test -s .demo/street.out
setsid "${clean[@]}" -m cctv run --env-file .demo/env > .demo/daemon.out 2>&1 9<&- &
programs+=($!)
in_time "no picture came." any_picture "http://127.0.0.1:$page/"

cat << EOF_WORDS
The pictures can be seen at http://127.0.0.1:$page/
Of the 24 cameras 7 are sick on purpose, and 8 are odd, which nobody should see.
The log:        tail -F .demo/log/cctv.log
Make one sick:  curl -X PUT -d trunc_eoi http://127.0.0.1:$street/cameras/1
In which ways:  $python dev/street.py --list
All cameras:    $python -m cctv list --env-file .demo/env
Ctrl-C ends it.
EOF_WORDS
wait -n "${programs[@]}" || true
tail -n 20 .demo/*.out >&2
die "one of the programs has ended by itself."
