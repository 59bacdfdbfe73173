/* Which looking glasses are near a host, and what to ask them: nothing is sent to any of them. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotate/annotate.h"
#include "base/escape.h"
#include "cli/exit.h"
#include "cli/lg_inside.h"
#include "cli/measure.h"
#include "path/json.h"
#include "reverse/catalogue_near.h"
#include "reverse/public_address.h"

#define DOCUMENT_BYTES_MAX (16 * 1024 * 1024)

/* Everything a run looks at. */
struct found {
	struct measurement measurement;
	struct settings *settings;
	struct catalogue *own, *shipped;
	struct data *data;
	struct vantage_scene scene;
	struct public_view view; /* our address */
	struct near near;
};

/* ---- the way there */

/* All of it, with a NUL; NULL: `error` says why not. */
static char *read_file(const char *name, size_t *length, struct error *error)
{
	FILE *in = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	char *text = malloc(DOCUMENT_BYTES_MAX + 1);
	*length = in && text ? fread(text, 1, DOCUMENT_BYTES_MAX + 1, in) : 0;
	bool good = in && text && !ferror(in) && *length <= DOCUMENT_BYTES_MAX;
	if (!good)
		error_set(error, -EIO, "cannot read %s: %s", name,
			*length > DOCUMENT_BYTES_MAX ? "it is too large" : strerror(errno));
	else
		text[*length] = '\0';
	if (in && in != stdin)
		fclose(in);
	if (good)
		return text;
	free(text);
	return NULL;
}

static int read_document(struct found *found, const char *name, struct error *error)
{
	size_t length;
	struct error inner = {0};
	char *text = read_file(name, &length, error);
	if (!text)
		return -EIO;
	int result = measurement_from_text(text, length, &found->measurement, &inner);
	free(text);
	if (result < 0) {
		measurement_init(&found->measurement);
		return error_set(error, result, "%s: no retour/1 document: %s", name, inner.text);
	}
	if (!addr_is_set(found->measurement.target))
		return error_set(error, -EINVAL, "%s: it does not say which host was the target", name);
	return 0;
}

static int trace(struct found *found, const struct lg_options *given, struct error *error)
{
	char command[] = "trace", end[] = "--", *host = strdup(given->arguments[0]);
	char *arguments[] = {command, end, host, NULL};
	int signal;
	struct options options;
	bool good = host && options_parse(&options, "trace", 3, arguments) < 0;
	if (!good) {
		free(host);
		return error_set(error, -EINVAL, "that is no host");
	}
	options.family = given->family;
	options.data_dir = given->data_dir;
	measurement_deinit(&found->measurement);
	int result = measure(&found->measurement, &options, (struct wanted){.forward = true}, &signal, error);
	free(host);
	if (result == 0 && signal)
		return error_set(error, -EINTR, "interrupted");
	if (result == 0)
		annotate_measurement(&found->measurement,
			&(struct annotate_options){.names = true, .data_dir = given->data_dir});
	return result;
}

/* ---- what is near */

static int look(struct found *found, const struct lg_options *given, struct error *error)
{
	const struct measurement *m = &found->measurement;
	struct near_sources sources = {found->data, found->settings, found->own, found->shipped};
	struct outside outside = {.settings = found->settings};
	struct reverse_task task = {
		.target = m->target,
		.source = m->source,
		.public_address =
			addr_is_set(given->public_address) ? given->public_address : m->public_address,
		.outside = &outside,
	};
	(void)public_address_known(&task, &found->view);
	vantage_scene_read(&found->scene, m->target, m->forward, found->data);
	return near_find(&found->near, &found->scene, m->forward, &sources) < 0
		? error_set(error, -ENOMEM, "out of memory")
		: 0;
}

static int find(struct found *found, const struct lg_options *given, struct error *error)
{
	measurement_init(&found->measurement);
	found->data = malloc(sizeof(*found->data));
	if (!found->data)
		return error_set(error, -ENOMEM, "out of memory");
	data_open(found->data, given->data_dir);
	int result = settings_load(&found->settings, given->config, error);
	if (result == 0)
		result = catalogue_load(&found->own, given->data_dir, error);
	if (result == 0)
		result = catalogue_shipped(&found->shipped, error);
	if (result == 0)
		result = given->from_json ? read_document(found, given->from_json, error)
					  : trace(found, given, error);
	return result == 0 ? look(found, given, error) : result;
}

static void release(struct found *found)
{
	near_deinit(&found->near);
	measurement_deinit(&found->measurement);
	settings_free(found->settings);
	catalogue_free(found->own);
	catalogue_free(found->shipped);
	if (found->data)
		data_close(found->data);
	free(found->data);
	free(found);
}

/* ---- how to ask */

#define STEPS_MAX 4
#define STEP_SIZE 400

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Returns how many there are. They can be shown as they are. */
static unsigned steps_of(
	const struct found *found, const struct near_glass *glass, char steps[STEPS_MAX][STEP_SIZE])
{
	char us[ADDR_TEXT_SIZE], url[300];
	unsigned count = 0;
	addr_format(found->view.address, us);
	escape_text(glass->url, url, sizeof(url));
	if (!*us)
		snprintf(us, sizeof(us), "YOUR-PUBLIC-ADDRESS");
	if (glass->source == NEAR_SETTINGS) {
		char host[200];
		escape_text(found->measurement.target_name, host, sizeof(host));
		escape_text(glass->name, url, sizeof(url));
		snprintf(steps[count++], STEP_SIZE, "retour back %s --via lg:%.100s", *host ? host : "HOST",
			url);
		return count;
	}
	bool telnet = begins(glass->url, "telnet://"), ssh = begins(glass->url, "ssh://");
	if (telnet || ssh) {
		const char *host = url + (telnet ? strlen("telnet://") : strlen("ssh://"));
		snprintf(steps[count++], STEP_SIZE, "%s %s", telnet ? "telnet" : "ssh", host);
		snprintf(steps[count++], STEP_SIZE, "there: traceroute %s", us);
	} else if (begins(glass->url, "http")) {
		snprintf(steps[count++], STEP_SIZE, "open %s in a browser", url);
		snprintf(steps[count++], STEP_SIZE,
			"choose the router nearest to the far host, and traceroute%s",
			glass->traces ? "" : " if it has that");
		snprintf(steps[count++], STEP_SIZE, "ask for %s (IPv%u)", us,
			found->measurement.target.family);
	} else {
		snprintf(steps[count++], STEP_SIZE, "it says: %s", url);
		snprintf(steps[count++], STEP_SIZE, "have it trace to %s", us);
	}
	return count;
}

static const char *said_by(const struct found *found, const struct near_glass *glass, char *text, size_t size)
{
	switch (glass->source) {
	case NEAR_SETTINGS: return "of your settings; retour asks it";
	case NEAR_OWN: return "of your list; by hand";
	case NEAR_PEERINGDB: return "by the network's word in PeeringDB; by hand";
	case NEAR_SHIPPED: break;
	}
	snprintf(text, size, "noted %.20s, not tried; by hand",
		found->shipped->noted ? found->shipped->noted : "some day");
	return text;
}

/* ---- the result */

static void print_glass(const struct found *found, const struct near_glass *glass)
{
	char steps[STEPS_MAX][STEP_SIZE], text[80], url[300], note[200];
	printf("  %s%s%s  (%s)\n", escape_text(glass->name ? glass->name : glass->url, url, sizeof(url)),
		glass->note ? ", " : "", escape_text(glass->note, note, sizeof(note)),
		said_by(found, glass, text, sizeof(text)));
	unsigned count = steps_of(found, glass, steps);
	for (unsigned i = 0; i < count; i++)
		printf("    %u. %s\n", i + 1, steps[i]);
}

static void print_text(const struct found *found)
{
	const struct measurement *m = &found->measurement;
	char name[300], target[ADDR_TEXT_SIZE], us[ADDR_TEXT_SIZE];
	printf("far host  %s (%s)\n", escape_text(m->target_name, name, sizeof(name)),
		addr_format(m->target, target));
	if (addr_is_set(found->view.address))
		printf("trace to  %s, your public address\n", addr_format(found->view.address, us));
	else
		printf("trace to  %s\n", escape_text(found->view.note, name, sizeof(name)));
	for (size_t i = 0; i < found->near.count; i++) {
		const struct near_network *network = &found->near.networks[i];
		printf("\nAS%u %s, %s\n", network->asn, escape_text(network->name, name, sizeof(name)),
			network->upstream ? "on the way to it" : "the far host's own");
		for (size_t k = 0; k < network->count; k++)
			print_glass(found, &network->glasses[k]);
		if (network->count == 0)
			puts("  no looking glass is known; it may name one in PeeringDB (retour data import) "
			     "or on its web pages");
	}
	if (found->near.count == 0)
		puts("\nwhich networks are near it is not known: there is no local data about AS numbers "
		     "(retour data import)");
	puts("\nNone of these was asked. Their traces start near the far host, not at it.");
}

static json_t *glass_to_json(const struct found *found, const struct near_glass *glass)
{
	char steps[STEPS_MAX][STEP_SIZE], url[1100];
	json_t *list = json_array();
	unsigned count = steps_of(found, glass, steps);
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, json_string(steps[i]));
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:b, s:o?, s:o}", "source", near_source_word(glass->source),
		"name", glass->name, "url", *glass->url ? escape_text(glass->url, url, sizeof(url)) : NULL,
		"note", glass->note, "asked_by_retour", glass->source == NEAR_SETTINGS, "traces",
		glass->traces ? json_true() : NULL, "steps", list);
}

static json_t *to_json(const struct found *found)
{
	const struct measurement *m = &found->measurement;
	char target[ADDR_TEXT_SIZE], us[ADDR_TEXT_SIZE], name[520], note[sizeof(found->view.note)];
	json_t *networks = json_array();
	for (size_t i = 0; i < found->near.count; i++) {
		const struct near_network *network = &found->near.networks[i];
		json_t *glasses = json_array();
		for (size_t k = 0; k < network->count; k++)
			json_array_append_new(glasses, glass_to_json(found, &network->glasses[k]));
		json_array_append_new(networks,
			json_pack("{s:I, s:s, s:s, s:o}", "asn", (json_int_t)network->asn, "name",
				escape_text(network->name, name, sizeof(name)), "distance",
				network->upstream ? "upstream" : "same-as", "looking_glasses", glasses));
	}
	addr_format(found->view.address, us);
	snprintf(note, sizeof(note), "%s", found->view.note);
	return json_pack("{s:s, s:{s:s, s:s}, s:{s:s?, s:s?}, s:o}", "schema", "retour-lg/1", "target",
		"name", escape_text(m->target_name, name, sizeof(name)), "address",
		addr_format(m->target, target), "trace_to", "address", *us ? us : NULL, "note",
		*note ? note : NULL, "networks", networks);
}

static bool print_json(const struct found *found)
{
	json_t *root = to_json(found);
	char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
	bool good = text && puts(text) >= 0;
	free(text);
	json_decref(root);
	return good;
}

int lg_find_run(const struct lg_options *options)
{
	struct error error = {0};
	struct found *found = calloc(1, sizeof(*found));
	int result = found ? find(found, options, &error) : error_set(&error, -ENOMEM, "out of memory");
	int status = result == -ERANGE ? EXIT_USAGE
		: result == -EINTR     ? EXIT_INTERRUPTED
				       : EXIT_CANNOT_MEASURE;
	if (result < 0)
		fprintf(stderr, "retour: %s\n", error.text);
	else if (options->json && !print_json(found))
		fputs("retour: cannot write the result\n", stderr);
	else {
		if (!options->json)
			print_text(found);
		status = found->near.count > 0 ? EXIT_OK : EXIT_NOT_REACHED;
	}
	if (found)
		release(found);
	return status;
}
