# shellcheck shell=sh
# shellcheck disable=SC2154 # known: set by journal.sh
# Creates, changes and removes users.

# make_user NAME HOME GROUP...: creates the user unless it exists, and makes it a member of the groups
make_user() {
  user=$1 home=$2
  shift 2
  getent passwd "$user" >/dev/null ||
    logged useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$user" ||
    fail user "the user $user could not be created: $(last_lines)" 'Fix the problem that useradd reports, then run the same command again.'
  for group in "$@"; do
    getent group "$group" >/dev/null || logged groupadd --system "$group" ||
      fail user "the group $group could not be created: $(last_lines)" 'Fix the problem that groupadd reports, then run the same command again.'
    logged usermod -a -G "$group" "$user" ||
      fail user "the user $user could not be added to the group $group: $(last_lines)" 'Fix the problem that usermod reports, then run the same command again.'
  done
}

# keep_user NAME: records the groups of the user, or that the user does not exist
keep_user() {
  case $known in *"{\"kind\":\"user\",\"name\":\"$1\","*) return 0 ;; esac
  before='"absent"'
  if getent passwd "$1" >/dev/null; then
    before="{\"groups\":[$(id -Gn "$1" | sed 's/[^ ][^ ]*/"&"/g; s/ /,/g')]}"
  fi
  record "{\"kind\":\"user\",\"name\":\"$1\",\"before\":$before}"
}

# leave_groups NAME GROUP...: removes the user from all groups but these
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
    logged userdel "$1" || fail user "the user $1 could not be removed: $(last_lines)" 'End the processes of the user, then run the same command again.'
  fi
}

# accounts: prints the system's users and groups, one a line. Packages create some, and leave them behind.
accounts() {
  getent passwd | awk -F : '$3 < 1000 { print "user " $1 }'
  getent group | awk -F : '$3 < 1000 { print "group " $1 }'
}
