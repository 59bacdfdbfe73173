#include "reverse/ssh_line.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copy `text`, with `value` where it has an @. */
static void fill(const char *text, const char *value, char *out, size_t size)
{
	size_t before = strcspn(text, "@");
	bool there = text[before] == '@';
	snprintf(
		out, size, "%.*s%s%s", (int)before, text, there ? value : "", there ? text + before + 1 : "");
}

static const struct {
	const char *name;
	const char *command; /* @: our address */
	const char *input;
} lines[] = {
	[SSH_UNIX] = {"unix", "sh -s", NULL},
	[SSH_VYOS] = {"vyos", "sh -s", NULL},
	[SSH_WINDOWS] = {"windows", "tracert -d -w 1000 @", NULL},
	[SSH_PATHPING] = {"pathping", "pathping -n -q 1 -p 100 -w 1000 @", NULL},
	/* A session of more than one line: the pager would stop it after 24. */
	[SSH_IOS] = {"ios", "", "terminal length 0\ntraceroute @ timeout 1 probe 2\nexit\n"},
	[SSH_IOS_XR] = {"ios-xr", "", "terminal length 0\ntraceroute @ timeout 1 probe 2\nexit\n"},
	[SSH_JUNOS] = {"junos", "traceroute @ wait 1 no-resolve", NULL},
	[SSH_ROUTEROS] = {"routeros", "/tool traceroute address=@ count=1 timeout=1 duration=30", NULL},
};

bool ssh_dialect_find(const char *name, enum ssh_dialect *dialect)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (i != SSH_PATHPING && strcmp(lines[i].name, name) == 0) {
			*dialect = (enum ssh_dialect)i;
			return true;
		}
	return false;
}

const char *ssh_dialect_program(enum ssh_dialect dialect)
{
	return dialect == SSH_WINDOWS ? "tracert" : lines[dialect].name;
}

const char *ssh_program_output(const char *program)
{
	static const char *const same[] = {
		"retour", "tracepath", "tracert", "pathping", "ios", "ios-xr", "junos", "routeros"};
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		if (strcmp(program, same[i]) == 0)
			return same[i];
	return NULL;
}

bool ssh_destination_valid(const char *destination)
{
	for (const char *c = destination; *c; c++)
		if (!isgraph((unsigned char)*c) || strchr("'`\"$;&<>|(){}*?", *c))
			return false;
	return *destination && *destination != '-';
}

/* ---- the script
 *
 * Plain POSIX, no program but those it looks for. Each has its line before and after it, so that what was
 * printed can be told apart, and used although it was cut off. A program that cannot do it (no such option,
 * no right to open a socket) ends with a status, and the next one is tried.
 *
 * SSH_CONNECTION is "our-address our-port its-address its-port" as sshd sees the connection. An address by
 * which only a proxy next to it would know us is not used. */

static const char script[] =
	"PATH=$PATH:/usr/sbin:/sbin:/usr/local/bin:/usr/local/sbin LC_ALL=C\n"
	"export PATH LC_ALL\n"
	"said=%s other=%s family=%u direct=%d private=%d\n"
	"say() { echo \"retour-ssh $*\"; }\n"
	"set -- ${SSH_CONNECTION-}\n"
	"say connection \"${1-}\" \"${3-}\"\n"
	"peer=${1-}\n"
	"case $peer in\n"
	"*[!0-9A-Fa-f.:]* | 127.* | 169.254.* | ::1 | [Ff][Ee]80:*) peer= ;;\n"
	"10.* | 192.168.* | 172.1[6-9].* | 172.2?.* | 172.3[01].* | 100.6[4-9].* | 100.[7-9]?.* | \\\n"
	"100.1[01]?.* | 100.12[0-7].* | [Ff][CcDd]??:*) [ $private = 1 ] || peer= ;;\n"
	"esac\n"
	"case $peer in *:*) [ $family = 6 ] || peer= ;; *.*) [ $family = 4 ] || peer= ;; *) peer= ;; esac\n"
	"[ $direct = 1 ] || peer=\n"
	"to=${said:-${peer:-$other}}\n"
	"[ -n \"$to\" ] || { say unknown; exit 0; }\n"
	"say to \"$to\"\n"
	"run() {\n"
	"	name=$1\n"
	"	shift\n"
	"	command -v \"$1\" >/dev/null 2>&1 || return 0\n"
	"	say run \"$name\"\n"
	"	\"$@\" </dev/null\n"
	"	code=$?\n"
	"	echo\n"
	"	say end $code\n"
	"	case $name-$code in *-0 | retour-2) exit 0 ;; esac\n"
	"}\n"
	"run retour retour trace --json -n \"$to\"\n"
	"run mtr mtr --json -n -c 3 \"$to\"\n"
	"run mtr mtr -r -w -n -c 3 \"$to\"\n"
	"run traceroute traceroute -n -q 2 -w 1 -m 30 \"$to\"\n"
	"[ $family = 4 ] || run traceroute traceroute6 -n -q 2 -w 1 -m 30 \"$to\"\n"
	"run tracepath tracepath -n \"$to\"\n"
	"run busybox busybox traceroute -n -q 2 -w 1 -m 30 \"$to\"\n"
	"run traceroute traceroute -q 2 -w 1 -m 30 \"$to\"\n"
	"run tracert tracert -d -w 1000 \"$to\"\n"
	"say none\n";

struct addr ssh_goal_address(const struct ssh_goal *goal)
{
	return addr_is_set(goal->said) ? goal->said : goal->other;
}

static bool write_script(struct ssh_line *line, const struct ssh_goal *goal)
{
	char said[ADDR_TEXT_SIZE], other[ADDR_TEXT_SIZE];
	int length = snprintf(line->input, sizeof(line->input), script, addr_format(goal->said, said),
		addr_format(goal->other, other), (unsigned)goal->family, goal->direct, goal->private_peer);
	return length > 0 && (size_t)length < sizeof(line->input);
}

bool ssh_line_write(struct ssh_line *line, enum ssh_dialect dialect, const struct ssh_goal *goal)
{
	struct addr address = ssh_goal_address(goal);
	char text[ADDR_TEXT_SIZE];
	*line = (struct ssh_line){0};
	addr_format(address, text);
	fill(lines[dialect].command, text, line->command, sizeof(line->command));
	if (dialect == SSH_UNIX || dialect == SSH_VYOS)
		return write_script(line, goal);
	if (lines[dialect].input)
		fill(lines[dialect].input, text, line->input, sizeof(line->input));
	return addr_is_set(address);
}

/* ---- what comes back */

/* The next line of *text without its end, which may be CR LF; *text goes behind it. False: no more. */
static bool next_line(const char **text, const char **line, size_t *length)
{
	if (!**text)
		return false;
	*line = *text;
	*length = strcspn(*text, "\n");
	*text += *length;
	*text += **text == '\n';
	if (*length > 0 && (*line)[*length - 1] == '\r')
		--*length;
	return true;
}

void ssh_configuration_read(const char *text, struct ssh_configuration *configuration)
{
	const char *line;
	size_t length;
	*configuration = (struct ssh_configuration){0};
	while (next_line(&text, &line, &length)) {
		char key[20] = "", value[256] = "", copy[300];
		snprintf(copy, sizeof(copy), "%.*s", (int)MIN(length, sizeof(copy) - 1), line);
		if (sscanf(copy, "%19s %255s", key, value) != 2)
			continue;
		if (strcmp(key, "hostname") == 0)
			memcpy(configuration->hostname, value, sizeof(value));
		if ((strcmp(key, "proxyjump") == 0 || strcmp(key, "proxycommand") == 0) &&
			strcmp(value, "none") != 0)
			configuration->indirect = true;
	}
}

#define MARK "retour-ssh "

static void read_mark(struct ssh_answer *answer, const char *words)
{
	char kind[16] = "", first[64] = "", second[64] = "";
	int count = sscanf(words, "%15s %63s %63s", kind, first, second);
	struct ssh_run *last = answer->run_count > 0 ? &answer->runs[answer->run_count - 1] : NULL;
	answer->script = true;
	if (strcmp(kind, "connection") == 0 && count == 3) {
		if (!addr_parse(first, &answer->peer) || !addr_parse(second, &answer->server))
			answer->peer = answer->server = ADDR_NONE;
	} else if (strcmp(kind, "to") == 0) {
		if (!addr_parse(first, &answer->to))
			answer->to = ADDR_NONE;
	} else if (strcmp(kind, "run") == 0 && answer->run_count < SSH_RUNS_MAX) {
		struct ssh_run *run = &answer->runs[answer->run_count++];
		snprintf(run->program, sizeof(run->program), "%.23s", first);
	} else if (strcmp(kind, "end") == 0 && last && !last->ended) {
		last->ended = true;
		last->code = atoi(first);
	} else if (strcmp(kind, "none") == 0 || strcmp(kind, "unknown") == 0) {
		answer->over = true;
	}
}

void ssh_answer_read(const char *text, struct ssh_answer *answer)
{
	const char *line;
	size_t length;
	*answer = (struct ssh_answer){0};
	while (next_line(&text, &line, &length)) {
		struct ssh_run *last = answer->run_count > 0 ? &answer->runs[answer->run_count - 1] : NULL;
		char words[200];
		if (length > strlen(MARK) && strncmp(line, MARK, strlen(MARK)) == 0) {
			snprintf(words, sizeof(words), "%.*s", (int)MIN(length, sizeof(words) - 1), line);
			read_mark(answer, words + strlen(MARK));
		} else if (last && !last->ended) {
			last->bytes = last->bytes ? last->bytes : line;
			last->length = (size_t)(text - last->bytes);
		}
	}
}

/* ---- why ssh failed */

static const struct {
	const char *says;
	enum attempt_status status;
	const char *reason; /* @: the destination */
} failures[] = {
	{"HOST IDENTIFICATION HAS CHANGED", ATTEMPT_REFUSED,
		"the host key of @ is not the one that is known: another machine, or a new key; when you are "
		"sure, "
		"ssh-keygen -R HOST and log in once by hand"},
	{"Host key verification failed", ATTEMPT_REFUSED,
		"the host key of @ is not known here: log in once by hand with ssh and accept it"},
	{"Permission denied", ATTEMPT_REFUSED,
		"@ does not let us in without a password: ssh-copy-id puts your key there, ssh-add gives it "
		"to your agent"},
	{"Too many authentication failures", ATTEMPT_REFUSED,
		"@ does not let us in: too many keys were tried; name one with IdentityFile in "
		"~/.ssh/config"},
	{"Could not resolve hostname", ATTEMPT_FAILED, "ssh knows no host @"},
	{"Connection refused", ATTEMPT_UNAVAILABLE, "no ssh server answers at @ (connection refused)"},
	{"No route to host", ATTEMPT_UNAVAILABLE, "@ cannot be reached by ssh (no route to host)"},
	{"Network is unreachable", ATTEMPT_UNAVAILABLE,
		"@ cannot be reached by ssh (network is unreachable)"},
	{"timed out", ATTEMPT_TIMEOUT, "no ssh server answers at @ (nothing came back)"},
};

void ssh_last_line(const char *text, char *out, size_t size)
{
	const char *line;
	size_t length;
	out[0] = '\0';
	while (next_line(&text, &line, &length))
		if (strspn(line, " \t\r") < length)
			snprintf(out, size, "%.*s", (int)MIN(length, size - 1), line);
}

enum attempt_status ssh_explain(const char *errors, const char *destination, char *reason, size_t size)
{
	char line[200];
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if (strstr(errors, failures[i].says)) {
			fill(failures[i].reason, destination, reason, size);
			return failures[i].status;
		}
	ssh_last_line(errors, line, sizeof(line));
	snprintf(reason, size, "ssh to %s failed: %s", destination, *line ? line : "it does not say why");
	return ATTEMPT_FAILED;
}
