#!/bin/sh
# Of the Debian package: removes what the program writes beside itself, which is compiled code.
set -e
rm -rf /usr/lib/mesosup/cache
rmdir /usr/lib/mesosup 2>/dev/null || true
