/**
 * The script that asks a host's apt what it would do with the packages of a plan. It needs what the probe needs, and
 * apt. It leaves nothing behind: package lists that are missing or old are fetched into a temporary directory. Its
 * answer is one line of JSON as the probe's; `parseSimulation` makes facts of it.
 */

import { quote } from '../../hosts/quote.ts';
import type { SimulationRequest } from '../simulation-request.ts';
import { LISTS_STALE } from './places.ts';
import { APT_CHOICES, NEWEST } from './shell-apt.ts';

/** Seconds for each of the two fetches of lists. */
const FETCH_SECONDS = 120;

/** Fields that tell why a package comes or goes. */
const RELATIONS = ['Depends', 'Pre-Depends', 'Conflicts', 'Breaks', 'Provides'];

/** @returns a script for `Host.run` */
export function simulationScript({ packages, sources }: SimulationRequest): string {
  const words = packages.map(({ name, version }) =>
    quote(version === undefined ? name : `${name}=~${version}`),
  );
  const names = packages.map(({ name }) => quote(name)).join(' ');
  return `export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive HOME=/root
umask 022
exec </dev/null
dir=$(mktemp -d /var/tmp/mesosup.XXXXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM PIPE
chmod 0755 "$dir"
mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/parts" "$dir/new"
exec 3>&1 >"$dir/stdout" 2>"$dir/stderr"
member() { { printf ',"%s":"' "$1"; base64 -w 0; printf '"'; } >&3; }
# Hooks of an update would change the host: indexes of programs, notices, a cleared cache.
cat >"$dir/conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Post-Invoke-Stats;
Dir::Cache "$dir/cache/";
Dir::Etc::SourceParts "$dir/parts/";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
END
cache() { apt-cache -c "$dir/conf" "$@"; }
${NEWEST}
parts=
eval "$(apt-config shell parts Dir::Etc::SourceParts/d)"
[ ! -d "$parts" ] || cp -RLp "$parts/." "$dir/parts/"
${sourceLines(sources)}
printf '{"format":1' >&3
# lacking NAME...: those that have no candidate
lacking() {
  for name; do echo "$name" "\${name}t64"; done | xargs apt-cache -c "$dir/conf" policy | awk '
    BEGIN { for (i = 1; i < ARGC; i++) wanted[i] = ARGV[i]; n = ARGC; ARGC = 1 }
    /^[^ ]/ { name = $1; sub(/(t64)?:$/, "", name) }
    /^  Candidate: [^(]/ { there[name] = 1 }
    END { for (i = 1; i < n; i++) if (!(wanted[i] in there)) print wanted[i] }' "$@"
}
# unknown WORD...: whether one of them is NAME=~VERSION of a version that apt doesn't know
unknown() {
  for word; do
    case $word in *=~*) [ -n "$(newest "\${word%%=~*}" "\${word#*=~}")" ] || return 0 ;; esac
  done
  return 1
}
update() { timeout ${FETCH_SECONDS} apt-get -c "$dir/conf" -q update -o APT::Color=0 "$@" 2>&1; }
set -- ${words.join(' ')}
if ${sources.length > 0 ? 'true' : `[ -e ${LISTS_STALE} ] || [ -n "$(lacking ${names})" ] || unknown "$@"`}; then
  lists=
  eval "$(apt-config shell lists Dir::State::Lists/d)"
  cp -p "$lists"/*_* "$dir/lists/"
  printf 'Dir::State::Lists "%s";\\n' "$dir/lists/" >>"$dir/conf"
  for file in "$dir"/new/*.list; do [ ! -e "$file" ] || rm -f "$dir/parts/\${file##*/}"; done
  update | member hostUpdate
  if ls "$dir"/new/*.list; then
    # Their keys come with the plan, so the signatures can't be checked yet. Nothing is installed from these lists.
    update -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/new/" -o APT::Get::List-Cleanup=0 \\
      -o Acquire::AllowInsecureRepositories=true -o Acquire::AllowDowngradeToInsecureRepositories=true | member planUpdate
    cp -p "$dir"/new/*.list "$dir/parts/"
  fi
fi
lacking=" $(lacking ${names} | tr '\\n' ' ')"
printf '%s' "$lacking" | member lacking
cache policy ${names} | member policy
cache madison ${names} | member madison
dpkg-query -W -f '\${Status}\\t\${Package}\\t\${Version}\\n' | awk -F '\\t' '$1 ~ /^hold / { print $2, $3 }' | member holds
for file in /etc/apt/preferences /etc/apt/preferences.d/*; do
  case \${file##*/} in *[!A-Za-z0-9_.-]* | *.*.* | .*) continue ;; *.pref) ;; *.*) continue ;; esac
  [ ! -f "$file" ] || { printf '%s\\0' "$file"; head -c 65536 "$file" | tr -d '\\000'; printf '\\0'; }
done | member preferences
for word; do
  shift
  name=\${word%%=~*}
  case $lacking in *" $name "*) continue ;; esac
  case $word in
    *=~*)
      version=$(newest "$name" "\${word#*=~}")
      # The parser tells of it.
      [ -n "$version" ] || continue
      word=$name=$version ;;
  esac
  set -- "$@" "$word"
done
simulate() { apt-get -c "$dir/conf" -s ${APT_CHOICES} -o APT::Get::AllowUnauthenticated=true install "$@" 2>&1; }
# Installed packages that the packages of the plan conflict with. Where a repository has such a package, apt doesn't
# remove it by itself, and would have to be told so: NAME-.
wanted=${quote(` ${packages.map(({ name }) => name).join(' ')} `)}
rivals() {
  awk '/have unmet dependencies:/ { on = 1 } on && / : (Conflicts|Breaks): / { print $1 }' "$dir/simulation" | while read -r name; do
    case $wanted in *" $name "*) continue ;; esac
    ! dpkg-query -W -f '\${Status}' "$name" | grep -q ' ok installed$' || echo "$name-"
  done
}
if [ $# -gt 0 ]; then
  simulate "$@" >"$dir/simulation"
  code=$?
  if [ "$code" -ne 0 ] && rivals >"$dir/rivals" && [ -s "$dir/rivals" ]; then
    # shellcheck disable=SC2046 # Names of packages are words.
    if simulate "$@" $(cat "$dir/rivals") >"$dir/without-rivals"; then
      code=0
      mv "$dir/without-rivals" "$dir/simulation"
    fi
  fi
  member simulation <"$dir/simulation"
  if [ "$code" -eq 0 ]; then
    awk '$1 == "Inst" { v = $3 ~ /^\\[/ ? $4 : $3; sub(/^\\(/, "", v); o = $3 ~ /^\\[/ ? $3 : ""; gsub(/[][]/, "", o); print $2, v, o }' "$dir/simulation" >"$dir/new-versions"
    while read -r name new old; do
      [ -z "$old" ] || ! dpkg --compare-versions "$new" lt "$old" || echo "$name"
    done <"$dir/new-versions" | member downgrades
    {
      awk '{ print $1 "=" $2 }' "$dir/new-versions" | xargs -r apt-cache -c "$dir/conf" show
      awk '$1 == "Remv" { print $2 }' "$dir/simulation" | xargs -r dpkg-query -W -f '${['Package', ...RELATIONS].map((field) => `${field}: \${${field}}\\n`).join('')}\\n'
    } | grep -E '^(Package|${RELATIONS.join('|')}): |^$' | member relations
  else
    for word; do echo "\${word%%=*}"; done | xargs apt-cache -c "$dir/conf" depends --recurse \\
      --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances | awk '
        { gsub(/[<>]/, "") } /^[a-z0-9]/ { print $1 } / (Pre)?Depends: / { print $NF }' | sort -u | member dependencies
  fi
fi
printf '}\\n' >&3
`;
}

function sourceLines(sources: SimulationRequest['sources']): string {
  return sources
    .map(({ path, content }) => {
      const name = quote(path.slice(path.lastIndexOf('/') + 1));
      return `printf '%s' ${quote(content)} >"$dir/new/"${name}`;
    })
    .join('\n');
}
