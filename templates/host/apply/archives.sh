# shellcheck shell=sh
# shellcheck disable=SC2154 # output, error: set by run.sh
# Fetches package files and unpacks payloads. Checks the SHA-256 of each.
#   UPLOADS, PAYLOADS, IMAGES  see places.ts

# check_file FILE DIGEST WHAT: removes the file and fails if it has another SHA-256
check_file() {
  got=$(sha256sum <"$1") && [ "${got%% *}" = "$2" ] && return
  rm -f -- "$1"
  fail hash "$3 has the SHA-256 ${got%% *}, not $2" 'Check the SHA-256 in the cluster file, and that it is the right file.'
}

# fetch_package URL DIGEST FILE: downloads a package file
fetch_package() {
  : >"$output"
  logged /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file "$1" "$3" "SHA256:$2" || blame "$1"
  check_file "$3" "$2" "$1"
}

# take_package DIGEST FILE: copies a package file that was sent to the host earlier
take_package() {
  [ -f "$UPLOADS/$1" ] || fail payload "the package file $1 was not sent to the host" 'Run the same command again.'
  cp -- "$UPLOADS/$1" "$2" 2>"$error" || broke 'the package file could not be copied'
  check_file "$2" "$1" 'the package file that was sent'
}

# unpack VERSION DIGEST: unpacks a payload that was sent to the host earlier
unpack() {
  archive=$UPLOADS/$2
  if [ ! -f "$archive" ]; then
    [ ! -d "$PAYLOADS/$1" ] || return 0
    fail payload "the payload $1 was not sent to the host" 'Run the same command again.'
  fi
  check_file "$archive" "$2" "the payload $1"
  rm -rf "$PAYLOADS/.new"
  { mkdir -m 0755 "$PAYLOADS/.new" && tar -x --no-same-owner -f "$archive" -C "$PAYLOADS/.new"; } 2>"$error" || { rm -rf "$PAYLOADS/.new"; broke "the payload $1 could not be unpacked"; }
  rm -rf -- "${PAYLOADS:?}/$1"
  mv -fT "$PAYLOADS/.new" "$PAYLOADS/$1" 2>"$error" || broke "the payload $1 could not be moved into place"
  rm -f "$archive"
}

# load_image NAME DIGEST: loads an image that was sent to the host earlier into Docker
load_image() {
  archive=$UPLOADS/$2
  [ -f "$archive" ] || fail payload "the image $1 was not sent to the host" 'Run the same command again.'
  check_file "$archive" "$2" "the image $1"
  : >"$output"
  logged docker load -i "$archive" || fail image "$1: Docker can't load the image: $(tail -n 1 "$output")" 'Check that Docker runs on the host and has free space. Then run the same command again.'
  id=$(docker image inspect -f '{{.Id}}' "$1" 2>"$error") || broke "Docker has no image $1 after it was loaded"
  { mkdir -p "$IMAGES" && printf '%s %s\n' "$1" "$id" >"$IMAGES/$2"; } 2>"$error" || broke "the image $1 could not be recorded"
  rm -f "$archive"
}

# drop_uploads: removes files that were sent and not used
drop_uploads() { rm -rf "$UPLOADS"; }
