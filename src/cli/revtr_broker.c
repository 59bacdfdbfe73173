/* `retour revtr broker`: what a broker for agents on other machines needs, as a script that an operator reads
 * and runs there. */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "revtr/broker.h"
#include "revtr/message.h"

#define PORT "8883"

/* Names become file names and common names; they are letters, digits and few signs (agent_name_good). */
static const char beginning[] =
	"#!/bin/sh\n"
	"# A broker for `retour revtr coordinator`: for mosquitto as Debian has it. Read it, then run it as "
	"root on %s;\n"
	"# run again, with more agents, it keeps what is there.\n"
	"set -eu\n"
	"command -v mosquitto >/dev/null || command -v /usr/sbin/mosquitto >/dev/null || {\n"
	"\techo 'first: apt-get install mosquitto openssl' >&2\n"
	"\texit 1\n"
	"}\n"
	"umask 077\n"
	"mkdir -p /etc/mosquitto/retour\n"
	"cd /etc/mosquitto/retour\n"
	"\n"
	"# An authority for this broker alone. Who has ca.key can make agents: keep it here, or better "
	"elsewhere.\n"
	"run() {\n"
	"\t\"$@\" >log 2>&1 || { cat log >&2; exit 1; }\n"
	"}\n"
	"request() { # NAME KEY OPTION...\n"
	"\tname=$1 key=$2\n"
	"\tshift 2\n"
	"\trun openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj \"/CN=$name\" "
	"-keyout \"$key\" \"$@\"\n"
	"}\n"
	"[ -e ca.crt ] || request 'authority of retour' ca.key -x509 -days 3650 -out ca.crt\n"
	"certificate() { # NAME ALTERNATIVE\n"
	"\t[ ! -e \"$1.crt\" ] || return 0\n"
	"\trequest \"$1\" \"$1.key\" -out request\n"
	"\techo \"subjectAltName=$2\" >extensions\n"
	"\trun openssl x509 -req -in request -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 -extfile "
	"extensions -out \"$1.crt\"\n"
	"\trm request extensions log\n"
	"}\n"
	"agent() { # NAME [SOURCE]: what its machine needs is in NAME.tar\n"
	"\tcertificate \"$1\" \"DNS:$1\"\n"
	"\t[ -e \"$1.yaml\" ] || cat >\"$1.yaml\" <<-END\n"
	"\t\troles: [agent]\n"
	"\t\tagent:\n"
	"\t\t  name: $1\n"
	"\t\t  broker: %s\n"
	"\t\t  ca: /etc/retour/ca.crt\n"
	"\t\t  certificate: /etc/retour/$1.crt\n"
	"\t\t  key: /etc/retour/$1.key\n"
	"\t\t  sources: [${2-}]  # addresses of that host to which others may measure the way back\n"
	"\t\t  spoof: false  # may it send in the names of registered sources? Ask its network, too\n"
	"\t\t  packets_per_second: 20\n"
	"\tEND\n"
	"\ttar cf \"$1.tar\" ca.crt \"$1.crt\" \"$1.key\" \"$1.yaml\"\n"
	"}\n"
	"certificate broker '%s:%s'\n"
	"certificate coordinator DNS:coordinator\n"
	"tar cf coordinator.tar ca.crt coordinator.crt coordinator.key\n";

static const char configuration[] = "\n"
				    "cat >/etc/mosquitto/conf.d/retour.conf <<'END'\n"
				    "listener " PORT "\n"
				    "cafile /etc/mosquitto/retour/ca.crt\n"
				    "certfile /etc/mosquitto/retour/broker.crt\n"
				    "keyfile /etc/mosquitto/retour/broker.key\n"
				    "require_certificate true\n"
				    "use_identity_as_username true\n"
				    "use_username_as_clientid true\n"
				    "acl_file /etc/mosquitto/retour/acl\n"
				    "max_queued_messages 100000\n"
				    "END\n"
				    "cat >acl <<'END'\n";

static const char end[] =
	"\n"
	"user coordinator\n"
	"topic readwrite retour/1/#\n"
	"END\n"
	"chown root:mosquitto . ca.crt broker.crt broker.key acl\n"
	"chmod 750 .\n"
	"chmod 640 ca.crt broker.crt broker.key acl\n"
	"systemctl restart mosquitto || service mosquitto restart || echo 'now start mosquitto again' >&2\n"
	"echo 'In /etc/mosquitto/retour, to be unpacked in /etc/retour: coordinator.tar for the coordinator, "
	"NAME.tar for agents;'\n"
	"echo 'then there: retour serve --config /etc/retour/NAME.yaml'\n";

static bool good_host(const char *host)
{
	return *host && strlen(host) < 254 &&
		strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-") ==
		strlen(host) &&
		*host != '-';
}

/* NAME or NAME=ADDRESS. */
static bool good_agent(const char *word, int *name_length, const char **source)
{
	char name[64];
	struct addr address;
	const char *equals = strchr(word, '=');
	*name_length = (int)(equals ? (size_t)(equals - word) : strlen(word));
	*source = equals ? equals + 1 : NULL;
	if (*name_length >= (int)sizeof(name) ||
		(*source && (!addr_parse(*source, &address) || address.family != 4)))
		return false;
	snprintf(name, sizeof(name), "%.*s", *name_length, word);
	return agent_name_good(name) && *name != '-' && *name != '.' && strcmp(name, "broker") != 0 &&
		strcmp(name, "coordinator") != 0 && strcmp(name, "ca") != 0;
}

static void print_patterns(const char *kind, const char *const *patterns)
{
	for (; *patterns; patterns++)
		printf("pattern %s %s\n", kind, *patterns);
}

int revtr_broker_run(const struct revtr_command *command)
{
	const char *host = command->arguments[0], *source;
	struct addr address;
	int length;
	bool literal = addr_parse(host, &address);
	if (!good_host(host)) {
		fputs("retour revtr broker: expected the name or address of the broker's machine\n", stderr);
		return EXIT_USAGE;
	}
	for (int i = 1; i < command->argument_count; i++)
		if (!good_agent(command->arguments[i], &length, &source)) {
			fprintf(stderr,
				"retour revtr broker: agent %d: expected NAME or NAME=ADDRESS: letters, "
				"digits, '.', '-' and '_', "
				"and an IPv4 address of its host that is to be a source\n",
				i);
			return EXIT_USAGE;
		}
	bool six = literal && address.family == 6;
	char shown[300];
	snprintf(shown, sizeof(shown), six ? "\"[%s]:" PORT "\"" : "\"%s:" PORT "\"", host);
	printf(beginning, host, shown, literal ? "IP" : "DNS", host);
	for (int i = 1; i < command->argument_count; i++)
		if (good_agent(command->arguments[i], &length, &source))
			printf("agent '%.*s'%s%s\n", length, command->arguments[i], source ? " " : "",
				source ? source : "");
	fputs(configuration, stdout);
	print_patterns("read", agent_may_hear);
	print_patterns("write", agent_may_say);
	fputs(end, stdout);
	return EXIT_OK;
}
