/* First `ssh -G` says what ssh makes of the destination: the machine behind the name, and whether a jump host
 * lies between, which then is whom the far host sees. Then ssh runs what traces (ssh_line.h). Where nothing
 * says what the far side is, it is taken for Unix; one where that does nothing is asked for Windows' tracert.
 */
#include "reverse/ssh.h"

#include <errno.h>
#include <fnmatch.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "import/import.h"
#include "net/sockaddr.h"
#include "reverse/ssh_run.h"

#define TIMEOUT_S 200 /* in all, should the stages not end */

/* ---- which host */

static bool matches(const struct settings_ssh *entry, const struct reverse_task *task)
{
	char address[ADDR_TEXT_SIZE];
	addr_format(task->target, address);
	return fnmatch(entry->host, address, FNM_CASEFOLD) == 0 ||
		(task->target_name && fnmatch(entry->host, task->target_name, FNM_CASEFOLD) == 0);
}

static const struct settings_ssh *entry_for(const struct reverse_task *task)
{
	const struct settings *settings = task->outside ? task->outside->settings : NULL;
	for (size_t i = 0; settings && i < settings->ssh_count; i++)
		if (matches(&settings->ssh[i], task))
			return &settings->ssh[i];
	return NULL;
}

/* What the settings say of a destination that was named: the far command line. */
static const struct settings_ssh *entry_to(const struct reverse_task *task, const char *destination)
{
	const struct settings *settings = task->outside->settings;
	for (size_t i = 0; i < settings->ssh_count; i++) {
		const struct settings_ssh *entry = &settings->ssh[i];
		if (strcmp(entry->destination ? entry->destination : entry->host, destination) == 0)
			return entry;
	}
	return NULL;
}

static bool ssh_configured(const struct reverse_task *task)
{
	return entry_for(task) != NULL;
}

/* ---- the end */

static void on_timer_closed(uv_handle_t *handle)
{
	asking_drop(handle->data);
}

static void ssh_stop(struct asking *asking)
{
	struct ssh *ssh = (struct ssh *)asking;
	if (ssh->running)
		process_kill(&ssh->process);
	if (ssh->looking_up)
		uv_cancel((uv_req_t *)&ssh->look_up);
	if (ssh->ticking) {
		ssh->ticking = false;
		uv_close((uv_handle_t *)&ssh->timer, on_timer_closed);
	}
}

static void ssh_destroy(struct asking *asking)
{
	struct ssh *ssh = (struct ssh *)asking;
	free(ssh->destination);
	free(ssh);
}

void ssh_finish(struct ssh *ssh, enum attempt_status status, struct path *path, const char *format, ...)
{
	char text[ASKING_DETAIL_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	asking_finish(&ssh->asking, status, path, "%s", text);
	ssh_stop(&ssh->asking);
}

/* ---- running ssh */

static void on_process_ended(struct process *process)
{
	struct ssh *ssh = process->context;
	ssh->running = false;
	if (!ssh->asking.finished)
		ssh->then(ssh);
	/* a next one may be running by now: then it has taken the place of this one */
	if (!ssh->running)
		process_deinit(process);
	asking_drop(&ssh->asking);
}

static void on_output(struct process *process)
{
	struct ssh *ssh = process->context;
	struct ssh_answer answer;
	if (process->length > IMPORT_TEXT_MAX)
		return; /* it has been told long ago */
	ssh_answer_read(process->output, &answer);
	if (answer.run_count > 0)
		asking_say(&ssh->asking, "%s is at work on %s", answer.runs[answer.run_count - 1].program,
			ssh->destination);
}

static void on_deadline(uv_timer_t *timer)
{
	struct ssh *ssh = timer->data;
	ssh->late = true;
	if (ssh->running)
		process_kill(&ssh->process);
}

/* `command` NULL: what ssh makes of its configuration. */
static void run_ssh(struct ssh *ssh, const char *command, const char *input, void (*then)(struct ssh *ssh))
{
	static const struct process_ops quiet = {.ended = on_process_ended};
	static const struct process_ops told = {.output = on_output, .ended = on_process_ended};
	/* BatchMode: no question can be answered. No terminal, nothing forwarded, no connection kept for
	 * later. */
	static const char *const always[] = {"-T", "-a", "-x", "-o", "BatchMode=yes", "-o",
		"ConnectTimeout=10", "-o", "ConnectionAttempts=1", "-o", "LogLevel=ERROR", "-o",
		"ClearAllForwardings=yes", "-o", "ControlMaster=no", "-o", "RemoteCommand=none"};
	const char *argv[ARRAY_LEN(always) + 8];
	size_t count = 0;
	argv[count++] = "ssh";
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		argv[count++] = always[i];
	if (!command)
		argv[count++] = "-G";
	else if (ssh->by_target && ssh->far_host && !ssh->configuration.indirect)
		argv[count++] = ssh->asking.task.target.family == 4 ? "-4" : "-6";
	argv[count++] = "--";
	argv[count++] = ssh->destination;
	if (command && *command)
		argv[count++] = command;
	argv[count] = NULL;
	process_deinit(&ssh->process);
	ssh->then = then;
	ssh->running = true;
	asking_hold(&ssh->asking);
	uv_timer_start(&ssh->timer, on_deadline, SSH_STAGE_S * 1000, 0);
	/* uv_spawn and execvp do not write to their arguments, whatever their types say. */
	process_start(&ssh->process, ssh->asking.task.outside->loop, (char **)(void *)argv, input,
		IMPORT_DATA_MAX, command && ssh->guess ? &told : &quiet, ssh);
}

/* What ends every stage: it could not be run, or said more than anybody needs. */
static bool broken(struct ssh *ssh)
{
	const struct process *process = &ssh->process;
	if (process->error == UV_ENOENT)
		ssh_finish(ssh, ATTEMPT_UNAVAILABLE, NULL, "there is no ssh here: install openssh-client");
	else if (process->cut)
		ssh_finish(ssh, ATTEMPT_FAILED, NULL, "%s sent more than %d MiB", ssh->destination,
			IMPORT_DATA_MAX >> 20);
	else if (process->error < 0)
		ssh_finish(ssh, ATTEMPT_FAILED, NULL, "ssh cannot be run: %s", uv_strerror(process->error));
	else
		return false;
	return true;
}

/* ---- the stages */

static void trace(struct ssh *ssh, enum ssh_dialect dialect);

static void tell_silence(struct ssh *ssh)
{
	ssh_finish(ssh, ATTEMPT_TIMEOUT, NULL, "ssh to %s: nothing came back within %d s", ssh->destination,
		SSH_STAGE_S);
}

/* A line that is not a script: all that was printed is the answer. */
static void on_line_done(struct ssh *ssh)
{
	const struct process *process = &ssh->process;
	struct ssh_answer answer = {.to = ssh_goal_address(&ssh->goal), .run_count = 1};
	if (broken(ssh))
		return;
	if (process->length == 0 && ssh->late)
		tell_silence(ssh);
	else if (process->length == 0 && ssh->dialect == SSH_WINDOWS)
		trace(ssh, SSH_PATHPING);
	else if (process->length == 0 && ssh->guess)
		ssh_finish(ssh, ATTEMPT_UNSUPPORTED, NULL,
			"%s is neither Unix nor Windows: name its dialect in the settings, see "
			"retour-config(5)",
			ssh->destination);
	else if (process->length == 0)
		ssh_explain_failure(ssh);
	else {
		snprintf(answer.runs[0].program, sizeof(answer.runs[0].program), "%s",
			ssh_dialect_program(ssh->dialect));
		answer.runs[0].bytes = process->output;
		answer.runs[0].length = process->length;
		ssh_conclude(ssh, &answer);
	}
}

/* A host that does nothing with a script is no Unix host; ssh itself fails with 255 (ssh(1), EXIT STATUS). */
static void on_script_done(struct ssh *ssh)
{
	const struct process *process = &ssh->process;
	struct ssh_answer answer;
	if (broken(ssh))
		return;
	ssh_answer_read(process->output ? process->output : "", &answer);
	if (addr_is_set(answer.to) && (answer.to.family != ssh->goal.family || !addr_is_unicast(answer.to)))
		ssh_finish(ssh, ATTEMPT_FAILED, NULL, "%s traced something that is not our address",
			ssh->destination);
	else if (answer.script)
		ssh_conclude(ssh, &answer);
	else if (ssh->late)
		tell_silence(ssh);
	else if (process->exit_status == 255)
		ssh_explain_failure(ssh);
	else if (ssh->guess)
		trace(ssh, SSH_WINDOWS);
	else
		ssh_finish(ssh, ATTEMPT_UNSUPPORTED, NULL,
			"%s runs no Unix shell for us: name its dialect in the settings", ssh->destination);
}

static void trace(struct ssh *ssh, enum ssh_dialect dialect)
{
	bool script = dialect == SSH_UNIX || dialect == SSH_VYOS;
	ssh->dialect = dialect;
	if (!ssh_line_write(&ssh->line, dialect, &ssh->goal))
		ssh_finish(ssh, ATTEMPT_UNAVAILABLE, NULL,
			"what %s is to trace is not known: give our public address with --public-address",
			ssh->destination);
	else
		run_ssh(ssh, ssh->line.command, *ssh->line.input ? ssh->line.input : NULL,
			script ? on_script_done : on_line_done);
}

static void on_host_known(struct ssh *ssh)
{
	const struct reverse_task *task = &ssh->asking.task;
	struct addr said = settings_public_address(task->outside->settings, task->target.family);
	bool hidden = addr_is_private(task->source) && !addr_is_private(task->target);
	ssh->goal = (struct ssh_goal){
		.family = task->target.family,
		.said = task->public_address.family == task->target.family ? task->public_address : said,
		.other = hidden ? ADDR_NONE : task->source,
		.direct = !ssh->configuration.indirect,
		.private_peer = addr_is_private(task->target),
	};
	trace(ssh, ssh->dialect);
}

static void on_looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct ssh *ssh = request->data;
	for (struct addrinfo *entry = status == 0 ? list : NULL; entry; entry = entry->ai_next) {
		struct sockaddr_storage storage = {0};
		memcpy(&storage, entry->ai_addr, MIN(entry->ai_addrlen, sizeof(storage)));
		struct addr address = sockaddr_read(&storage, NULL);
		ssh->far_host |= addr_equal(address, ssh->asking.task.target);
		if (!addr_is_set(ssh->address))
			ssh->address = address;
	}
	uv_freeaddrinfo(list);
	ssh->looking_up = false;
	if (!ssh->asking.finished)
		on_host_known(ssh);
	asking_drop(&ssh->asking);
}

static void look_up(struct ssh *ssh, const char *name)
{
	struct addrinfo hints = {.ai_family = ssh->asking.task.target.family == 4 ? AF_INET : AF_INET6,
		.ai_socktype = SOCK_STREAM};
	ssh->look_up.data = ssh;
	ssh->looking_up = uv_getaddrinfo(ssh->asking.task.outside->loop, &ssh->look_up, on_looked_up, name,
				  NULL, &hints) == 0;
	if (ssh->looking_up)
		asking_hold(&ssh->asking);
	else
		on_host_known(ssh);
}

static void on_configuration(struct ssh *ssh)
{
	const struct reverse_task *task = &ssh->asking.task;
	const char *name = ssh->configuration.hostname;
	if (broken(ssh))
		return;
	if (ssh->late || ssh->process.exit_status != 0) {
		ssh_explain_failure(ssh);
		return;
	}
	ssh_configuration_read(ssh->process.output ? ssh->process.output : "", &ssh->configuration);
	if (addr_parse(name, &ssh->address)) {
		ssh->far_host = addr_equal(ssh->address, task->target);
		on_host_known(ssh);
	} else if (task->target_name && strcasecmp(name, task->target_name) == 0) {
		ssh->far_host = true;
		ssh->address = task->target;
		on_host_known(ssh);
	} else {
		look_up(ssh, name);
	}
}

static void ssh_begin(struct asking *asking)
{
	struct ssh *ssh = (struct ssh *)asking;
	uv_timer_init(asking->task.outside->loop, &ssh->timer);
	ssh->timer.data = ssh;
	ssh->ticking = true;
	asking_hold(asking);
	if (!ssh_destination_valid(ssh->destination))
		ssh_finish(ssh, ATTEMPT_FAILED, NULL, "'%s' is no destination for ssh: expected [user@]host",
			ssh->destination);
	else
		run_ssh(ssh, NULL, NULL, on_configuration);
}

/* ---- to the ladder */

static void *ssh_start(const struct reverse_task *task)
{
	static const struct asking_ops ops = {ssh_begin, ssh_stop, ssh_destroy};
	const struct settings_ssh *entry = task->parameter ? NULL : entry_for(task);
	char address[ADDR_TEXT_SIZE];
	struct ssh *ssh = calloc(1, sizeof(*ssh));
	const char *name = task->target_name ? task->target_name : addr_format(task->target, address);
	if (!ssh)
		return NULL;
	asking_init(&ssh->asking, &ops, task, TIMEOUT_S * NS_PER_S);
	ssh->entry = entry;
	ssh->by_target = !task->parameter && !(entry && entry->destination);
	ssh->destination = strdup(task->parameter ? task->parameter
			: ssh->by_target	  ? name
						  : entry->destination);
	if (task->parameter)
		entry = entry_to(task, task->parameter);
	ssh->guess = !(entry && entry->dialect && ssh_dialect_find(entry->dialect, &ssh->dialect));
	if (!ssh->destination) {
		free(ssh);
		return NULL;
	}
	return ssh;
}

const struct reverse_method ssh_method = {
	.name = "ssh",
	.parameter = "[USER@]HOST",
	.ipv4 = true,
	.ipv6 = true,
	.configured = ssh_configured,
	.start = ssh_start,
	ASKING_METHOD,
};
