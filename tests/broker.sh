# shellcheck shell=bash
# A broker as docs/protocol/revtr-agents.md wants it, for tests that source this file. Everything is below the folder
# that broker_files is given: ca.crt, NAME.crt and NAME.key, broker.conf, acl.

broker_certificate() { # FOLDER NAME [ALTERNATIVE NAME]
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" \
		-keyout "$1/$2.key" -out "$1/$2.csr" 2>/dev/null
	openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial -days 2 \
		-extfile <(echo "subjectAltName=${3-DNS:$2}") -out "$1/$2.crt" 2>/dev/null
}

broker_authority() { # FOLDER
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=${2-authority}" \
		-keyout "$1/ca.key" -out "$1/ca.crt" 2>/dev/null
}

broker_files() { # FOLDER ADDRESS PORT AGENT...
	local folder=$1 address=$2 port=$3 name
	shift 3
	broker_authority "$folder"
	broker_certificate "$folder" broker "IP:$address"
	for name in coordinator "$@"; do
		broker_certificate "$folder" "$name"
	done
	cat >"$folder/broker.conf" <<-END
		listener $port $address
		cafile $folder/ca.crt
		certfile $folder/broker.crt
		keyfile $folder/broker.key
		require_certificate true
		use_identity_as_username true
		use_username_as_clientid true
		acl_file $folder/acl
		max_queued_messages 100000
		persistence false
		user $(id -un)
	END
	cat >"$folder/acl" <<-END
		pattern read retour/1/agent/%u/task
		pattern read retour/1/agent/%u/key
		pattern write retour/1/agent/%u/answer
		pattern write retour/1/agent/%u/status
		pattern read retour/1/coordinator/status

		user coordinator
		topic readwrite retour/1/#
	END
}
