/* Inside `retour revtr`. */
#ifndef RETOUR_CLI_REVTR_INSIDE_H
#define RETOUR_CLI_REVTR_INSIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "reverse/http.h"
#include "reverse/revtr_server.h"

struct revtr_command {
	const char *server, *config, *data_dir; /* NULL = the usual one */
	const char *file;    /* submit: of destinations, aliases probe: of addresses; "-" = standard input */
	const char *hitlist; /* coordinator: addresses for the survey; NULL = none */
	const char *request, *label;
	const char *agent, *name, *key;
	const char *store, *broker, *ca, *certificate, *certificate_key, *tls_certificate, *tls_key;
	const char *listen[8];
	size_t listen_count;
	const char *opt_out[64];
	size_t opt_out_count;
	unsigned per_day, parallel, as_per_day, atlas_per_day, keep_days;
	bool as_limited, wait, json, admin, interactive, spoof, no_timestamps, quotes;
	char **arguments; /* those that are no options */
	int argument_count;
};

/* One conversation with a coordinator. */
struct revtr_client {
	struct uv_loop_s *loop;
	struct http *http;
	char url[512], header[256];
	const char *ca; /* of the command, or `ca_file`; NULL = as the system */
	char ca_file[REVTR_FILE_SIZE];
	/* of the request that is on its way */
	bool done;
	int error, status;
	char *body;
	char reason[200];
	void (*part)(void *context, const char *bytes, size_t length);
	void *part_context;
	bool interrupted;
};

int revtr_client_open(
	struct revtr_client *client, const struct revtr_command *command, struct error *error) MUST_USE;
void revtr_client_close(struct revtr_client *client);
/* Ask and wait. 0 with the answer (may be NULL), or negative with a line for a person. `body` is taken over.
 */
int revtr_client_ask(struct revtr_client *client, const char *method, const char *path, json_t *body,
	json_t **answer, struct error *error) MUST_USE;
/* The same for a stream: `part` gets it as it comes. */
int revtr_client_follow(struct revtr_client *client, const char *path,
	void (*part)(void *context, const char *bytes, size_t length), void *context,
	struct error *error) MUST_USE;

/* One question whose answer is printed by `print`, or as it came. Returns the exit status. */
int revtr_ask(const struct revtr_command *command, const char *method, const char *path, json_t *body,
	void (*print)(const json_t *answer));

/* Each returns the exit status. */
int revtr_coordinator_run(const struct revtr_command *command);
int revtr_broker_run(const struct revtr_command *command);
int revtr_submit_run(const struct revtr_command *command);
int revtr_show_run(const struct revtr_command *command);
int revtr_watch_run(const struct revtr_command *command);
int revtr_cancel_run(const struct revtr_command *command);
int revtr_sources_run(const struct revtr_command *command);
int revtr_source_run(const struct revtr_command *command);
int revtr_agents_run(const struct revtr_command *command);
int revtr_atlas_run(const struct revtr_command *command);
int revtr_aliases_run(const struct revtr_command *command);
int revtr_aliases_probe_run(const struct revtr_command *command);
int revtr_budget_run(const struct revtr_command *command);
int revtr_key_run(const struct revtr_command *command);

/* `prefix`, then the text, broken at spaces within 80 columns; further lines begin where the text does. */
void revtr_print_wrapped(const char *prefix, const char *text);
/* A text of an answer, printable; "" where there is none. Returns `out`. */
const char *revtr_text_of(const json_t *object, const char *key, char *out, size_t size);
/* One measurement, as text or as a line of JSON. */
void revtr_print_record(const json_t *record, bool json);
/* EXIT_CANNOT_MEASURE after saying why. */
int revtr_complain(const struct error *error);

/* revtr_hitlist.c: addresses, one a line; the caller frees them. */
int revtr_hitlist_read(const char *file, uint32_t **addresses, unsigned *count, struct error *error) MUST_USE;

#endif
