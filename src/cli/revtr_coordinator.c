/* The coordinator as a program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/addr.h"
#include "cli/exit.h"
#include "cli/revtr_inside.h"
#include "reverse/revtr_server.h"
#include "revtr/coordinator.h"
#include "serve/revtr_service.h"

struct wanted {
	struct revtr_service_options options;
	struct bus_mqtt_options broker;
	struct listening listen[ARRAY_LEN(((struct revtr_command *)0)->listen)];
	struct prefix opt_out[ARRAY_LEN(((struct revtr_command *)0)->opt_out)];
	uint32_t *hitlist;
	char store[REVTR_FILE_SIZE], host[300];
};

static int usage(struct error *error, const char *what, const char *value, const char *expected)
{
	return error_set(error, -EINVAL, "%s %s: expected %s", what, value, expected);
}

static void note(const char *text)
{
	fprintf(stderr, "retour revtr: HTTPS: %s\n", text);
}

static int read_listen(struct wanted *wanted, const struct revtr_command *command, struct error *error)
{
	for (size_t i = 0; i < command->listen_count; i++)
		if (!listening_parse(command->listen[i], &wanted->listen[i]))
			return usage(error, "--listen", command->listen[i],
				"ADDRESS:PORT, [ADDRESS]:PORT or :PORT");
	if (command->listen_count == 0)
		wanted->listen[0] = (struct listening){addr_v4(0x7f000001), REVTR_USUAL_PORT};
	wanted->options.listen = wanted->listen;
	wanted->options.listen_count = MAX(command->listen_count, (size_t)1);
	return 0;
}

static int read_tls(struct wanted *wanted, const struct revtr_command *command, struct error *error)
{
	if (!command->tls_certificate != !command->tls_key)
		return error_set(error, -EINVAL, "--tls-certificate, --tls-key: expected both or neither");
	wanted->options.tls_certificate = command->tls_certificate;
	wanted->options.tls_key = command->tls_key;
	wanted->options.note = note;
	return 0;
}

static int read_opt_out(struct wanted *wanted, const struct revtr_command *command, struct error *error)
{
	for (size_t i = 0; i < command->opt_out_count; i++)
		if (!prefix_parse(command->opt_out[i], &wanted->opt_out[i]))
			return usage(
				error, "--opt-out", command->opt_out[i], "a prefix such as 192.0.2.0/24");
	wanted->options.opt_out = wanted->opt_out;
	wanted->options.opt_out_count = command->opt_out_count;
	return 0;
}

static int read_hitlist(struct wanted *wanted, const struct revtr_command *command, struct error *error)
{
	if (!command->hitlist)
		return 0;
	int result =
		revtr_hitlist_read(command->hitlist, &wanted->hitlist, &wanted->options.hitlist_count, error);
	wanted->options.hitlist = wanted->hitlist;
	return result;
}

static int read_broker(struct wanted *wanted, const struct revtr_command *command, struct error *error)
{
	const char *colon = command->broker ? strrchr(command->broker, ':') : NULL;
	if (!command->broker)
		return 0;
	bool port = colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1);
	snprintf(wanted->host, sizeof(wanted->host), "%.*s", port ? (int)(colon - command->broker) : 290,
		command->broker);
	wanted->broker = (struct bus_mqtt_options){.host = wanted->host,
		.port = port ? (unsigned)strtoul(colon + 1, NULL, 10) : 0,
		.name = "coordinator",
		.ca_file = command->ca,
		.certificate_file = command->certificate,
		.key_file = command->certificate_key,
		.will_topic = "retour/1/coordinator/status",
		.will_payload = "{\"online\":false}"};
	wanted->options.broker = &wanted->broker;
	return wanted->broker.port <= UINT16_MAX
		? 0
		: usage(error, "--broker", command->broker, "HOST or HOST:PORT");
}

/* All folders above the file, for its owner only. */
static int make_folders(const char *file, struct error *error)
{
	char path[REVTR_FILE_SIZE];
	snprintf(path, sizeof(path), "%s", file);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_set(
				error, -errno, "cannot make the folder %s: %s", path, strerror(errno));
		*slash = '/';
	}
	return 0;
}

static void tell(const char *text)
{
	fprintf(stderr, "retour revtr: %s\n", text);
}

static int read_store(struct wanted *wanted, const struct revtr_command *command, struct error *error)
{
	wanted->options.data_dir = command->data_dir;
	wanted->options.spoof = command->spoof;
	wanted->options.no_timestamps = command->no_timestamps;
	wanted->options.quotes = command->quotes;
	wanted->options.atlas_per_day = command->atlas_per_day;
	wanted->options.keep_days = command->keep_days;
	if (command->as_limited)
		wanted->options.per_network =
			command->as_per_day ? command->as_per_day : COORDINATOR_NO_LIMIT;
	wanted->options.tell = tell;
	wanted->options.owner = stderr;
	wanted->options.store = command->store;
	if (command->store)
		return 0;
	wanted->options.store = revtr_usual_store(wanted->store);
	if (!*wanted->store)
		return error_set(error, -EINVAL,
			"where shall the store be? Neither XDG_STATE_HOME nor HOME is set; --store FILE says "
			"it");
	return make_folders(wanted->store, error);
}

static void say_ready(const struct revtr_service *service, const struct wanted *wanted)
{
	char text[ADDR_TEXT_SIZE];
	for (size_t i = 0; i < wanted->options.listen_count; i++) {
		struct addr address = wanted->listen[i].addr;
		const char *left = address.family == 6 ? "[" : "", *right = address.family == 6 ? "]" : "";
		fprintf(stderr, "retour revtr: coordinator on %s://%s%s%s:%u\n",
			wanted->options.tls_certificate ? "https" : "http", left,
			addr_is_set(address) ? addr_format(address, text) : "*", right,
			wanted->listen[i].port);
	}
	fprintf(stderr, "retour revtr: store %s; the administrator's key is in %s\n", wanted->options.store,
		revtr_service_key_file(service));
	for (size_t i = 0; i < wanted->options.listen_count; i++)
		if (!wanted->options.tls_certificate && !addr_is_loopback(wanted->listen[i].addr))
			fputs("retour revtr: keys travel in the clear beyond this host: --tls-certificate "
			      "and --tls-key encrypt them\n",
				stderr);
	for (unsigned i = 0; i < REVTR_WARNINGS; i++)
		if (revtr_service_warning(service, i))
			tell(revtr_service_warning(service, i));
}

static int run(const struct wanted *wanted, struct error *error)
{
	umask(077);
	struct revtr_service *service = revtr_service_start(&wanted->options, error);
	if (!service)
		return revtr_complain(error);
	say_ready(service, wanted);
	int result = revtr_service_run(service, error);
	revtr_service_stop(service);
	return result < 0 ? revtr_complain(error) : EXIT_OK;
}

int revtr_coordinator_run(const struct revtr_command *command)
{
	struct wanted *wanted = calloc(1, sizeof(*wanted));
	struct error error = {0};
	if (!wanted) {
		error_set(&error, -ENOMEM, "out of memory");
		return revtr_complain(&error);
	}
	int result = read_listen(wanted, command, &error);
	if (result == 0)
		result = read_tls(wanted, command, &error);
	if (result == 0)
		result = read_opt_out(wanted, command, &error);
	if (result == 0)
		result = read_hitlist(wanted, command, &error);
	if (result == 0)
		result = read_broker(wanted, command, &error);
	if (result == 0)
		result = read_store(wanted, command, &error);
	int status = EXIT_USAGE;
	if (result == 0)
		status = run(wanted, &error);
	else
		(void)revtr_complain(&error);
	free(wanted->hitlist);
	free(wanted);
	return status;
}
