# shellcheck shell=sh
# Sets the locale and PATH, so that programs write the output that the parsers expect.
#   SYSTEM_PATH  see root-environment.ts

export LC_ALL=C PATH="$SYSTEM_PATH"
