# shellcheck shell=sh
# Asks a master for its agents.
#   MASTER_ADDRESS, MASTER_PORT  the master of this host
#   AGENTS_REQUEST               an HTTP request

# agents: prints the answer, with what asked adds to it
agents() { printf '%s' "$AGENTS_REQUEST" | asked "$MASTER_ADDRESS" "$MASTER_PORT"; }
