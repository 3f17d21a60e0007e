#!/bin/sh
# postrm of the Debian package: removes the cache of compiled code, which the program writes beside itself.
set -e
rm -rf /usr/lib/mesosup/cache
rmdir /usr/lib/mesosup 2>/dev/null || true
