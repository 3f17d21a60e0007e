# shellcheck shell=sh
# Sends a request to a master.
#   MASTER_ADDRESS, MASTER_PORT  the master of this host
#   MASTER_REQUEST               an HTTP request

# ask_master: prints the answer, with what asked adds to it
ask_master() { printf '%s' "$MASTER_REQUEST" | asked "$MASTER_ADDRESS" "$MASTER_PORT"; }
