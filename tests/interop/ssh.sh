#!/bin/bash
# The way back over ssh, with OpenSSH's own sshd on hosts of the lab: each program that may be found there, hosts
# that are not the target, a NAT, and everything for which ssh lets nobody in.
. "$(dirname "$0")/common.sh"
need ssh ssh-keygen jq unshare mtr mtr-packet tracepath busybox
PATH=$PATH:/usr/sbin
need sshd traceroute
[ "$(id -u)" -eq 0 ] || skip 'needs root: sshd lets in nobody else'
need_lab
mkdir -p /run/sshd

# ---- sshd and ssh of their own

cd "$scratch" || exit
for name in host other mine; do
	ssh-keygen -q -t ed25519 -N '' -f "$name"
done
cat >sshd.conf <<END
Port 22
Port 2222
HostKey $scratch/host
PidFile none
AuthorizedKeysFile $scratch/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
AcceptEnv none
LogLevel ERROR
SetEnv PATH=$(dirname "$(realpath "$retour")"):/usr/bin:/bin
END
sed "s#@SSHD@#$(command -v sshd) -D -e -f $scratch/sshd.conf#" "$here/ssh.yaml" >world.yaml
cp mine.pub authorized

# ssh takes its configuration from the home folder that the system knows, not from $HOME
mkdir bin
printf '#!/bin/sh\nexec %s -F %s/config "$@"\n' "$(command -v ssh)" "$scratch" >bin/ssh
chmod +x bin/ssh
PATH=$scratch/bin:$PATH

# only FOLDER PROGRAM...: a login that finds these programs and no others
cat >only <<'END'
#!/bin/sh
folder=$1
shift
rm -rf "$folder"
mkdir -p "$folder"
for program in sh "$@"; do
	ln -s "$(command -v "$program")" "$folder/$(basename "$program")"
done
exec unshare -m "$(command -v sh)" -c 'for d in /usr/sbin /usr/local/sbin /usr/local/bin; do mount -t tmpfs none $d; done
PATH=$0; export PATH; exec sh -c "$SSH_ORIGINAL_COMMAND"' "$folder"
END
chmod +x only
login() { # NAME PROGRAM...
	local name=$1
	shift
	ssh-keygen -q -t ed25519 -N '' -f "key-$name"
	echo "command=\"PATH=\$PATH:/usr/sbin $scratch/only $scratch/dir-$name $*\" $(cat "key-$name.pub")" >>authorized
	printf 'Host only-%s\n HostName server.lab\n IdentityFile %s/key-%s\n' "$name" "$scratch" "$name" >>config
}
login retour "$(realpath "$retour")"
login mtr mtr mtr-packet
login traceroute traceroute
login tracepath tracepath
login busybox busybox
login none
mkdir lame
printf '#!/bin/sh\necho "socket: Operation not permitted" >&2\nexit 1\n' >lame/traceroute
chmod +x lame/traceroute
login lame "$scratch/lame/traceroute"
cat >>config <<END
Host stranger
 HostName server.lab
 IdentityFile $scratch/other
Host jumped
 HostName server.lab
 ProxyJump probe.lab
Host unknown-key
 HostName server.lab
 UserKnownHostsFile /dev/null
Host changed-key
 HostName server.lab
 UserKnownHostsFile $scratch/changed
Host closed
 HostName server.lab
 Port 23
Host nobody-there
 HostName 198.18.18.99
 ConnectTimeout 2
Host * !stranger
 IdentityFile $scratch/mine
Host *
 IdentitiesOnly yes
 User root
 UserKnownHostsFile $scratch/known
END
key() { cut -d ' ' -f 1,2 "$1.pub"; }
printf '%s %s\n' 'server.lab,probe.lab,[server.lab]:2222,198.18.18.*,2001:db8:a00:50::*' "$(key host)" >known
printf '%s %s\n' 'server.lab' "$(key other)" >changed
export XDG_CONFIG_HOME=$scratch/settings

in_lab() { # ON COMMAND...
	local on=$1
	shift
	"$retour" lab run -w "$scratch/world.yaml" --on "$on" -- "$@"
}
back() { # ARGUMENTS...: the document in $scratch/o.json
	in_lab client retour back -n --json "$@" >"$scratch/o.json" 2>"$scratch/err" || [ $? -eq 2 ] ||
		fail "retour back $*: $(cat "$scratch/err")"
}
ask() { jq -c "$1" "$scratch/o.json"; }
truth() { # FAMILY FROM TO
	"$retour" lab truth -w "$scratch/world.yaml" "-$1" --json "$2" "$3" | jq -c '[.hops[].address]'
}
attempt() { ask '.reverse_attempts[0] | [.method, .status]'; }

# ---- every program, both families

for family in 4 6; do
	expected=$(truth $family server client)
	back -$family server.lab --via ssh
	equal "IPv$family: the way home as it is" "$(ask '[.reverse.hops[].address]')" "$expected"
	equal "IPv$family: measured over there" \
		"$(ask '[.reverse.reached, .reverse.method, .reverse.vantage, ([.reverse.hops[] | .technique + " " + .certainty] | unique)]')" \
		'[true,"ssh",null,["remote-trace measured"]]'
	has "IPv$family: which program" "$(ask '.reverse_attempts[0].detail')" 'retour on server.lab'
	for name in retour mtr traceroute tracepath busybox; do
		back -$family server.lab --via "ssh:only-$name"
		equal "IPv$family, $name: the way home as it is" "$(ask '[.reverse.hops[].address]')" "$expected"
		has "IPv$family, $name: says so" "$(ask '.reverse_attempts[0].detail')" "$name"
		equal "IPv$family, $name: from the far host itself" "$(ask '[.reverse.reached, .reverse.vantage]')" '[true,null]'
	done
done
back -4 server.lab --via ssh:only-none
equal 'nothing there that traces' "$(attempt)" '["ssh","unavailable"]'
has 'nothing there: what to do' "$(ask '.reverse_attempts[0].detail')" 'has none of retour, mtr, traceroute'
back -4 server.lab --via ssh:only-lame
equal 'a program that fails' "$(attempt)" '["ssh","failed"]'
has 'a program that fails: its own words' "$(ask '.reverse_attempts[0].detail')" 'gave no trace: socket: Operation not permitted'

# ---- where ssh lets nobody in: at once, with the remedy

refused() { # DESTINATION STATUS NEEDLE
	local start
	start=$(date +%s%N)
	back -4 server.lab --via "ssh:$1"
	equal "$1: $2" "$(attempt)" "[\"ssh\",\"$2\"]"
	has "$1: why" "$(ask '.reverse_attempts[0].detail')" "$3"
	[ $((($(date +%s%N) - start) / 1000000)) -lt 5000 ] || fail "$1: not at once"
	equal "$1: no path" "$(ask .reverse)" null
}
refused stranger refused 'ssh-copy-id'
refused unknown-key refused 'log in once by hand'
refused changed-key refused 'not the one that is known'
refused closed unavailable 'connection refused'
refused nobody-there unavailable 'cannot be reached'
refused no-such-host failed 'ssh knows no host'
refused -oProxyCommand=reboot failed 'is no destination'
refused 'a;reboot' failed 'is no destination'
mkdir "$scratch/empty"
in_lab client env PATH="$scratch/empty" "$(realpath "$retour")" back -4 -n --json server.lab --via ssh >"$scratch/o.json" || [ $? -eq 2 ]
equal 'no ssh here' "$(attempt)" '["ssh","unavailable"]'
has 'no ssh here: what to do' "$(ask '.reverse_attempts[0].detail')" 'install openssh-client'

# ---- from beside the target

back -4 server.lab --via ssh:probe.lab
equal 'a host beside it is a vantage point' \
	"$(ask '[.reverse.vantage.name, .reverse.vantage.address, .reverse.vantage.distance, ([.reverse.hops[].certainty] | unique)]')" \
	'["probe.lab","198.18.18.90","same-prefix",["inferred"]]'
equal 'its own way home' "$(ask '[.reverse.hops[].address]')" "$(truth 4 probe client)"
back -4 server.lab --via ssh:jumped
equal 'through a jump host: not the jump host is traced' "$(ask '[.reverse.hops[].address]')" "$(truth 4 server client)"
equal 'and the target is the target' "$(ask .reverse.vantage)" null

# ---- behind a NAT: as far as its outside

in_lab inner retour back -4 -n --json server.lab --via ssh >"$scratch/o.json"
equal 'NAT: up to its outside' "$(ask '[.reverse.hops[-1].address, .reverse.reached, .public_address // .source.public_address]')" \
	'["198.51.100.66",true,"198.51.100.66"]'
has 'NAT: says so' "$(ask '.reverse_attempts[0].detail')" 'reached your NAT at 198.51.100.66'

# ---- the settings

mkdir -p "$XDG_CONFIG_HOME/retour"
back -4 server.lab
equal 'nobody asked for ssh' "$(ask '[.reverse_attempts[] | select(.method == "ssh")]')" '[]'
printf 'ssh:\n  - host: "*.lab"\n    destination: only-mtr\n' >"$XDG_CONFIG_HOME/retour/config.yaml"
back -4 server.lab
equal 'a host of the settings' "$(ask '[.reverse.method, .reverse.reached]')" '["ssh",true]'
has 'by the destination that is written there' "$(ask '.reverse_attempts[] | select(.method == "ssh").detail')" 'mtr on only-mtr'
printf 'ssh:\n  - host: "*.lab"\n    destination: probe.lab\n    vantage: true\n' >"$XDG_CONFIG_HOME/retour/config.yaml"
back -4 server.lab --via ssh
equal 'another machine by the settings' "$(ask '[.reverse.vantage.distance]')" '["same-prefix"]'
printf 'ladder: [inferred]\n' >"$XDG_CONFIG_HOME/retour/config.yaml"
back -4 server.lab
equal 'their ladder' "$(ask '[.reverse_attempts[].method]')" '["inferred"]'
printf 'ladder: [elevator]\n' >"$XDG_CONFIG_HOME/retour/config.yaml"
status 4 in_lab client retour back -4 server.lab
has 'a mistake in them' "$(cat "$scratch/err")" "config.yaml:1: ladder: no way back is called 'elevator'"
