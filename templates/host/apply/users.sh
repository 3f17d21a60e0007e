# shellcheck shell=sh
# shellcheck disable=SC2154 # known: set by journal.sh
# Makes, changes and removes users.

# make_user NAME HOME GROUP...: makes the user unless it is there, and a member of the groups
make_user() {
  user=$1 home=$2
  shift 2
  getent passwd "$user" >/dev/null ||
    logged useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$user" ||
    fail user "the user $user could not be made: $(last_lines)" 'See what useradd said.'
  for group in "$@"; do
    getent group "$group" >/dev/null || logged groupadd --system "$group" ||
      fail user "the group $group could not be made: $(last_lines)" 'See what groupadd said.'
    logged usermod -a -G "$group" "$user" ||
      fail user "$user could not be made a member of $group: $(last_lines)" 'See what usermod said.'
  done
}

# keep_user NAME: records the groups of the user, or that there is none
keep_user() {
  case $known in *"{\"kind\":\"user\",\"name\":\"$1\","*) return 0 ;; esac
  before='"absent"'
  if getent passwd "$1" >/dev/null; then
    before="{\"groups\":[$(id -Gn "$1" | sed 's/[^ ][^ ]*/"&"/g; s/ /,/g')]}"
  fi
  record "{\"kind\":\"user\",\"name\":\"$1\",\"before\":$before}"
}

# leave_groups NAME GROUP...: takes the user out of all groups but these
leave_groups() {
  user=$1
  shift
  for group in $(id -Gn "$user" 2>/dev/null); do
    for name in "$@"; do [ "$group" != "$name" ] || continue 2; done
    logged gpasswd -d "$user" "$group" || say "$user is still a member of $group"
  done
}

# remove_user NAME
remove_user() {
  if getent passwd "$1" >/dev/null; then
    logged userdel "$1" || fail user "the user $1 could not be removed: $(last_lines)" 'See what userdel said; end its processes.'
  fi
}

# accounts: prints the users and groups of the system, a line each. Packages make some and leave them behind.
accounts() {
  getent passwd | awk -F : '$3 < 1000 { print "user " $1 }'
  getent group | awk -F : '$3 < 1000 { print "group " $1 }'
}
