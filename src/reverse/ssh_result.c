/* What comes of a run: whose path it is, whether it is whole, and what is said about it. */
#include <stdio.h>
#include <string.h>

#include "import/import.h"
#include "reverse/remote_path.h"
#include "reverse/ssh_run.h"
#include "reverse/vantage.h"

void ssh_explain_failure(struct ssh *ssh)
{
	char reason[ASKING_DETAIL_SIZE];
	enum attempt_status status =
		ssh_explain(ssh->process.errors, ssh->destination, reason, sizeof(reason));
	ssh_finish(ssh, status, NULL, "%s", reason);
}

/* The connection says more than names do: a name may have several hosts. */
static bool is_far_host(const struct ssh *ssh, const struct ssh_answer *answer)
{
	struct addr target = ssh->asking.task.target;
	if (ssh->entry)
		return !ssh->entry->vantage;
	if (ssh->configuration.indirect || answer->server.family != target.family ||
		addr_is_private(answer->server))
		return ssh->far_host;
	return addr_equal(answer->server, target);
}

static struct path *read_run(const struct ssh_answer *answer, const struct ssh_run *run, bool far_host,
	struct addr from, char *note)
{
	struct remote_view view = {.method = "ssh",
		.from = from,
		.to = answer->to,
		.far_host = far_host,
		.dialect = ssh_program_output(run->program)};
	return run->bytes ? remote_path(run->bytes, run->length, &view, note) : NULL;
}

/* The first whole path, else the first one. */
static struct path *best_path(
	const struct ssh_answer *answer, bool far_host, struct addr from, const char **program, char *note)
{
	struct path *best = NULL;
	note[0] = '\0';
	for (size_t i = 0; i < answer->run_count && !(best && best->reached); i++) {
		char said[IMPORT_NOTE_SIZE] = "";
		struct path *path = read_run(answer, &answer->runs[i], far_host, from, said);
		if (path && (!best || path->reached)) {
			path_free(best);
			best = path;
			*program = answer->runs[i].program;
		} else {
			path_free(path);
		}
		if (!best || best == path)
			memcpy(note, said, sizeof(said));
	}
	return best;
}

static void finish_with(struct ssh *ssh, const struct ssh_answer *answer, struct path *path,
	const char *program, bool far_host, struct addr from)
{
	const struct reverse_task *task = &ssh->asking.task;
	char to[ADDR_TEXT_SIZE], end[120] = "", who[120] = "";
	bool translated = !addr_equal(answer->to, task->source);
	addr_format(answer->to, to);
	if (path->reached && translated)
		snprintf(end, sizeof(end), "; reached your NAT at %s", to);
	else if (!path->reached && ssh->late)
		snprintf(end, sizeof(end), "; stopped after %d s on the way to %s", SSH_STAGE_S, to);
	else if (!path->reached)
		snprintf(end, sizeof(end), "; %s did not answer it%s", to,
			translated ? ", which is your NAT" : "");
	if (!far_host) {
		struct vantage_scene scene;
		const char *data = task->outside->data_dir;
		uint32_t asn = vantage_asn(from, data);
		vantage_scene_open(&scene, task->target, ssh->asking.forward, data);
		enum vantage_distance how_near = vantage_distance_of(&scene, from, asn);
		snprintf(who, sizeof(who), ", not the target but %s", vantage_phrase(how_near));
		if (path_set_vantage(path, ssh->destination, from, asn, how_near) < 0) {
			path_free(path);
			ssh_finish(ssh, ATTEMPT_FAILED, NULL, "out of memory");
			return;
		}
	}
	ssh_finish(ssh, path->reached ? ATTEMPT_OK : ATTEMPT_PARTIAL, path, "%s on %s%s%s", program,
		ssh->destination, who, end);
}

static void tell_no_path(struct ssh *ssh, const struct ssh_answer *answer, const char *note)
{
	const struct ssh_run *last = answer->run_count > 0 ? &answer->runs[answer->run_count - 1] : NULL;
	char said[160];
	ssh_last_line(ssh->process.errors, said, sizeof(said));
	if (!*said && last && last->ended && last->code != 0)
		snprintf(said, sizeof(said), "it ended with status %d", last->code);
	if (last && ssh->late)
		ssh_finish(ssh, ATTEMPT_TIMEOUT, NULL, "%s on %s has shown no hop within %d s", last->program,
			ssh->destination, SSH_STAGE_S);
	else if (last)
		ssh_finish(ssh, ATTEMPT_FAILED, NULL, "%s on %s gave no trace: %s", last->program,
			ssh->destination,
			*said		? said
				: *note ? note
					: "it does not say why");
	else if (answer->over && addr_is_set(answer->to))
		ssh_finish(ssh, ATTEMPT_UNAVAILABLE, NULL,
			"%s has none of retour, mtr, traceroute, tracepath and busybox; install one there",
			ssh->destination);
	else if (answer->over)
		ssh_finish(ssh, ATTEMPT_UNAVAILABLE, NULL,
			"%s does not see our own address (a jump host, or the other IP family); give it with "
			"--public-address",
			ssh->destination);
	else
		ssh_explain_failure(ssh);
}

/* Something ran; is there a path in it? */
void ssh_conclude(struct ssh *ssh, const struct ssh_answer *answer)
{
	char note[IMPORT_NOTE_SIZE];
	const char *program = "";
	bool far_host = is_far_host(ssh, answer);
	bool server_known = !ssh->configuration.indirect &&
		answer->server.family == ssh->asking.task.target.family && !addr_is_private(answer->server);
	struct addr from = far_host ? ssh->asking.task.target : server_known ? answer->server : ssh->address;
	struct path *path = best_path(answer, far_host, from, &program, note);
	if (path) {
		if (addr_is_set(answer->peer) && addr_equal(answer->to, answer->peer))
			ssh->asking.public_address = answer->to;
		finish_with(ssh, answer, path, program, far_host, from);
		return;
	}
	tell_no_path(ssh, answer, note);
}
