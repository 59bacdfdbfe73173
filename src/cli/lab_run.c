#include "cli/lab_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit.h"
#include "sim/lab.h"

#define PLACE_SIZE 256

static int complain(const struct error *error)
{
	fprintf(stderr, "retour: %s\n", error->text);
	return EXIT_CANNOT_MEASURE;
}

static void warn(const char *text)
{
	fprintf(stderr, "retour: %s\n", text);
}

/* [PLACE:]FILE; without a place it is where the command runs. EXIT_OK, or another status after saying why. */
static int open_recording(const struct world *world, const struct lab_run_arguments *arguments,
	const char *text, struct lab_recording *recording)
{
	char place[PLACE_SIZE];
	const char *colon = strchr(text, ':'), *file = colon ? colon + 1 : text;
	const char *where = arguments->host;
	struct error error = {0};
	if (colon) {
		snprintf(place, sizeof(place), "%.*s", (int)(colon - text), text);
		where = place;
	}
	if (pcap_place(&recording->pcap, world, where, &error) < 0) {
		fprintf(stderr, "retour lab: --pcap %s: %s\n", text, error.text);
		return EXIT_USAGE;
	}
	recording->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (recording->fd >= 0)
		return EXIT_OK;
	fprintf(stderr, "retour: cannot write %s: %s\n", file, strerror(errno));
	return EXIT_CANNOT_MEASURE;
}

int cli_lab_run(const struct world *world, const struct lab_run_arguments *arguments, char *const *command)
{
	struct lab_recording recordings[RECORDINGS_MAX];
	struct lab_options options = {
		.world = world,
		.host = world_find_node(world, arguments->host),
		.command = command,
		.seed = arguments->seed,
		.no_services = arguments->no_services,
		.recordings = recordings,
		.warn = warn,
	};
	struct error error = {0};
	int status = EXIT_OK;
	if (options.host == WORLD_NONE || !world->nodes[options.host].is_host) {
		fprintf(stderr, "retour lab: no host is called '%s'; `retour lab hosts` shows them\n",
			arguments->host);
		return EXIT_USAGE;
	}
	for (unsigned i = 0; i < arguments->recording_count && status == EXIT_OK; i++) {
		status = open_recording(world, arguments, arguments->recordings[i], &recordings[i]);
		options.recording_count += status == EXIT_OK;
	}
	fflush(NULL);
	if (status == EXIT_OK && lab_run(&options, &status, &error) < 0)
		status = complain(&error);
	for (unsigned i = 0; i < options.recording_count; i++)
		close(recordings[i].fd);
	return status;
}

int cli_lab_link(char **operands, int count)
{
	char request[1024];
	struct error error = {0};
	if (count != 3) {
		fputs("retour lab: link takes two names and up, down or reroute; see `retour lab --help`\n",
			stderr);
		return EXIT_USAGE;
	}
	snprintf(request, sizeof(request), "link %s %s %s", operands[0], operands[1], operands[2]);
	int result = lab_control(request, &error);
	if (result == -EINVAL) {
		fprintf(stderr, "retour lab: %s\n", error.text);
		return EXIT_USAGE;
	}
	return result < 0 ? complain(&error) : EXIT_OK;
}
