# shellcheck shell=sh
# What kernel.sh and servers.sh share: messages, the cache, and a private apt.
# usage: . lib.sh (with $name set to what the messages begin with)
#
# The private apt has its own source list, lists and archives, so that the machine's own are neither
# needed nor touched; only the mirror's address is taken over from the machine's configuration.

: "${name:=guest}"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${SOCKACCEPT_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/sockaccept}

die() {
	printf '%s: %s\n' "$name" "$*" >&2
	exit 1
}

# need COMMAND PACKAGE: dies with the remedy if a command is missing
need() {
	command -v "$1" >/dev/null || die "$1 is missing; run tests/packages.sh guest, or install $2"
}

# enter_entry ENTRY: waits until nobody else makes this cache entry, then sets $work to an empty
# directory that is gone at exit. An entry is made in there and renamed into place when complete, so
# that a killed or failed run leaves nothing that looks like one.
enter_entry() {
	need flock util-linux
	mkdir -p "$cache" || die "cannot make the cache $cache; set SOCKACCEPT_CACHE to a writable directory"
	exec 9>"$cache/.lock-$1" || die "cannot write to $cache; set SOCKACCEPT_CACHE to a writable directory"
	flock 9
	rm -rf "$cache/.making-$1".* 2>/dev/null || true # left by runs that were killed; we hold the lock
	work=$(mktemp -d "$cache/.making-$1.XXXXXX") || die "cannot write to $cache"
	chmod 755 "$work" # an entry can be a guest's root directory, where users other than root look too
	trap leave_entry EXIT
	trap 'exit 130' INT
	trap 'exit 143' HUP TERM
}

# leave_entry: what still writes into $work goes first. The second try is for that program's own
# children, which notice a moment later.
leave_entry() {
	if [ -n "${child-}" ]; then
		kill "$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	rm -rf "$work" 2>/dev/null || {
		sleep 1
		rm -rf "$work"
	}
}

# quietly WHAT COMMAND...: runs the command; its output is shown only if it fails. It runs in the
# background because there, and not on the left of &&, a function of ours stops at its first error.
quietly() {
	what=$1
	shift
	"$@" >"$work/log" 2>&1 9>&- &
	child=$!
	if wait "$child"; then
		child=
		return
	fi
	child=
	tail -n 20 "$work/log" >&2
	die "could not $what (the last lines of '$1' are above)"
}

# mirror SUITE-PATTERN: the address from which this machine gets a suite, from whatever format its
# sources are in. Asking for main passes over most of those who name a suite of their own like Debian's.
mirror() {
	# shellcheck disable=SC2016 # the $ is sed's
	apt-get --print-uris update 2>/dev/null |
		sed -n "s#^'\\([^']*[^/']\\)/*/dists/$1/main/binary-amd64/Packages.*#\\1#p" | head -n 1
}

# main_mirror: Debian's own. $DEBIAN_MIRROR comes first, for machines that run something else.
main_mirror() {
	if [ -n "${DEBIAN_MIRROR-}" ]; then
		echo "$DEBIAN_MIRROR"
		return
	fi
	for suite in '[a-z]*-backports' bookworm trixie forky 'oldstable' 'stable' 'testing' sid unstable; do
		found=$(mirror "$suite")
		[ -z "$found" ] || break
	done
	[ -n "$found" ] || die "no Debian mirror in apt's configuration; set DEBIAN_MIRROR to the address of one"
	echo "$found"
}

# codename: of the Debian release that this machine runs
codename() {
	# shellcheck source=/dev/null
	(. /etc/os-release && echo "${VERSION_CODENAME-}")
}

security_mirror() {
	mirror '[a-z]*-security'
}

# private_apt SUITE...: sets up an apt of our own in $work/apt that knows these suites and no others.
# A suite that ends in -security is left out when the machine has no mirror for it.
private_apt() {
	need apt-get apt
	[ -r $keyring ] || die "$keyring is missing; install debian-archive-keyring"
	mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
	from=$(main_mirror)
	[ -n "$from" ] || exit 1
	for suite; do
		case $suite in
		*-security) uri=$(security_mirror) ;;
		*) uri=$from ;;
		esac
		[ -z "$uri" ] || echo "deb [arch=amd64 signed-by=$keyring] $uri $suite main"
	done >"$work/apt/sources.list"

	# The hooks are cleared because some refresh a desktop's software catalogue after each update;
	# the sandbox user because it may not enter a home directory.
	cat >"$work/apt/apt.conf" <<-END
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
		Dir::Etc::sourcelist "$work/apt/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State::lists "$work/apt/lists";
		Dir::Cache "$work/apt/cache";
		Acquire::Languages "none";
		Acquire::Retries "3";
		APT::Sandbox::User "root";
	END
	quietly "fetch Debian's package lists; is the network up?" \
		apt-get -q -c "$work/apt/apt.conf" --error-on=any update
}
