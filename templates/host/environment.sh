# shellcheck shell=sh
# Makes programs write what the parsers expect, wherever the script was started from.
#   SYSTEM_PATH  see root-environment.ts

export LC_ALL=C PATH="$SYSTEM_PATH"
