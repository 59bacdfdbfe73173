#include "serve/revtr_service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "annotate/data.h"
#include "net/route.h"
#include "revtr/broker.h"
#include "revtr/coordinator.h"
#include "serve/broker_check.h"
#include "serve/http.h"
#include "serve/revtr_api.h"
#include "serve/sandbox.h"
#include "serve/sha256.h"
#include "serve/vantage.h"

#define OWN_AGENT "here"

struct revtr_service {
	uv_loop_t loop;
	bool loop_open;
	uv_signal_t signals[4];
	FILE *owner; /* where the agent tells what it did */
	struct store *store;
	struct bus *bus;
	struct bus_mqtt_options broker;
	struct broker_check *check;
	struct bus_door *door; /* for agents that are other processes of this machine */
	struct bus_door_options door_options;
	struct coordinator *coordinator;
	struct vantage_options agent_options;
	struct vantage_point *agent, *agent_failed; /* of this host, on a bus of this process */
	struct revtr_api *api;
	struct httpd *httpd;
	int listeners[HTTPD_LISTENERS_MAX];
	size_t listener_count;
	char *key_file, *socket_file, *folder;
	struct data data;
	bool data_open;
	void (*tell)(const char *text);
	struct error warnings[REVTR_WARNINGS]; /* networks, door, agent */
};

/* ---- the administrator's key: who can read the file may do everything */

static int read_key(const char *file, char key[static REVTR_KEY_SIZE])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	struct stat status;
	ssize_t length = fstat(fd, &status) == 0 && !(status.st_mode & (S_IRWXG | S_IRWXO))
		? read(fd, key, REVTR_KEY_SIZE - 1)
		: -1;
	close(fd);
	if (length != REVTR_KEY_SIZE - 1)
		return -EBADMSG;
	key[length] = '\0';
	return 0;
}

/* Whole or not at all: a part of a key would be refused at the next start. */
static int write_key(const char *file, const char *key)
{
	char *draft;
	if (asprintf(&draft, "%s-new", file) < 0)
		return -ENOMEM;
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int code = fd < 0 ? -errno : 0;
	if (code == 0 && (write(fd, key, strlen(key)) != (ssize_t)strlen(key) || fsync(fd) < 0))
		code = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	if (code == 0 && rename(draft, file) < 0)
		code = -errno;
	free(draft);
	return code;
}

static int set_up_key(struct revtr_service *service, const char *store, struct error *error)
{
	struct store_key admin = {.name = "administrator", .admin = true};
	char key[REVTR_KEY_SIZE];
	if (asprintf(&service->key_file, "%s-key", store) < 0) {
		service->key_file = NULL;
		return error_set(error, -ENOMEM, "out of memory");
	}
	int code = read_key(service->key_file, key);
	if (code == -EBADMSG)
		return error_set(error, code,
			"%s is not a key that only its owner can read; remove it, and a new one is made",
			service->key_file);
	if (code == 0) {
		code = sha256(key, strlen(key), admin.hash, error);
		return code == 0 ? store_put_key(service->store, &admin, error) : code;
	}
	code = revtr_api_new_key(service->store, &admin, key, error);
	if (code < 0)
		return code;
	code = write_key(service->key_file, key);
	explicit_bzero(key, sizeof(key));
	return code < 0 ? error_set(error, code, "cannot write %s: %s", service->key_file, strerror(-code))
			: 0;
}

/* ---- putting it together */

static uint32_t asn_of(void *context, uint32_t address)
{
	struct revtr_service *service = context;
	struct origin origin;
	return data_origin(&service->data, addr_v4(address), &origin) && origin.count > 0 ? origin.asns[0]
											  : 0;
}

static void on_presence(void *context, bool connected, const char *why)
{
	struct revtr_service *service = context;
	char text[300];
	if (!connected && service->coordinator)
		coordinator_disconnected(service->coordinator);
	snprintf(text, sizeof(text), "%s the broker%s%s", connected ? "connected to" : "not connected to",
		why ? ": " : "", why ? why : "");
	if (service->tell)
		service->tell(text);
	static const char nothing[] = "{\"keys\":[]}";
	if (connected && service->bus)
		(void)!bus_publish(service->bus, BROKER_FOR_NOBODY, nothing, strlen(nothing), true);
	if (connected && !service->check)
		service->check = broker_check_start(&service->loop, &service->broker, service->tell);
}

static struct bus *open_bus(
	struct revtr_service *service, const struct revtr_service_options *options, struct error *error)
{
	if (!options->broker)
		return bus_new_local(&service->loop);
	service->broker = *options->broker;
	service->broker.presence = on_presence;
	service->broker.context = service;
	return bus_new_mqtt(&service->loop, &service->broker, error);
}

static int start_coordinator(
	struct revtr_service *service, const struct revtr_service_options *options, struct error *error)
{
	struct coordinator_options wanted = {.engine = revtr_options_default(),
		.opt_out = options->opt_out,
		.opt_out_count = options->opt_out_count,
		.per_network = options->per_network,
		.atlas_per_day = options->atlas_per_day,
		.keep_days = options->keep_days,
		.hitlist = options->hitlist,
		.hitlist_count = options->hitlist_count,
		.asn_context = service,
		.tell = options->tell};
	wanted.engine.timestamps = !options->no_timestamps;
	wanted.engine.quotes = options->quotes;
	data_open(&service->data, options->data_dir);
	service->data_open = true;
	if (service->data.count > 0)
		wanted.asn = asn_of;
	else
		error_set(&service->warnings[0], -ENOENT,
			"no local data about AS numbers: nothing is assumed, and fewer paths are whole; "
			"`retour data import` gets some");
	service->tell = options->tell;
	service->bus = open_bus(service, options, error);
	if (!service->bus)
		return options->broker ? error->code : error_set(error, -ENOMEM, "out of memory");
	service->coordinator = coordinator_new(&service->loop, service->store, service->bus, &wanted, error);
	return service->coordinator ? 0 : error->code;
}

/* Without them there is the agent of this process, at least. */
static void open_door(struct revtr_service *service, const struct revtr_service_options *options)
{
	if (options->broker || asprintf(&service->socket_file, "%s-socket", options->store) < 0) {
		service->socket_file = NULL;
		return;
	}
	service->door_options = (struct bus_door_options){.path = service->socket_file,
		.own = OWN_AGENT,
		.may_say = agent_may_say,
		.may_hear = agent_may_hear};
	service->door =
		bus_door_open(&service->loop, service->bus, &service->door_options, &service->warnings[1]);
}

/* Who may not open raw sockets coordinates others all the same. */
static void start_agent(struct revtr_service *service, const struct revtr_service_options *options)
{
	struct addr own, towards = addr_v4(0xc0000201); /* RFC 5737; nothing is sent there */
	struct error error = {0};
	if (options->broker)
		return;
	service->agent_options = (struct vantage_options){
		.name = OWN_AGENT, .bus = service->bus, .rules = {.spoof = options->spoof}};
	if (route_source(towards, ADDR_NONE, NULL, &own, &error) == 0 && !addr_is_private(own))
		service->agent_options.sources[service->agent_options.source_count++] = own;
	if (vantage_start(&service->agent, &service->loop, &service->agent_options, &error) == 0)
		return;
	vantage_stop(service->agent);
	service->agent_failed = service->agent;
	service->agent = NULL;
	error_set(&service->warnings[2], error.code, "no agent on this host: %.300s", error.text);
}

static int start_http(
	struct revtr_service *service, const struct revtr_service_options *options, struct error *error)
{
	service->api = revtr_api_new(&(struct revtr_api_config){
		&service->loop, service->store, service->coordinator, &service->httpd});
	if (!service->api)
		return error_set(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < options->listen_count; i++) {
		if (service->listener_count + 2 > HTTPD_LISTENERS_MAX)
			return error_set(
				error, -E2BIG, "more than %d sockets to listen on", HTTPD_LISTENERS_MAX);
		int count = listening_open(
			&options->listen[i], &service->listeners[service->listener_count], error);
		if (count < 0)
			return count;
		service->listener_count += (size_t)count;
	}
	return httpd_start(&service->httpd, &service->loop,
		&(struct httpd_config){
			.listeners = service->listeners,
			.listener_count = service->listener_count,
			.certificate_file = options->tls_certificate,
			.key_file = options->tls_key,
			.note = options->note,
			.body_max = REVTR_BODY_BYTES,
			.may_send = revtr_api_may_send,
			.handler = revtr_api_handle,
			.context = service->api,
		},
		error);
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct revtr_service *service = signal->data;
	if (number == SIGUSR1)
		vantage_print(service->agent, service->owner);
	else if (number != SIGHUP)
		uv_stop(signal->loop);
	else if (service->httpd)
		httpd_reload(service->httpd);
}

/* SQLite puts aside in there what does not fit into its memory: elsewhere it cannot write. */
static int find_folder(struct revtr_service *service, const char *store, struct error *error)
{
	const char *slash = strrchr(store, '/');
	if (asprintf(&service->folder, "%.*s", slash ? (int)MAX(slash - store, 1) : 1, slash ? store : ".") <
		0) {
		service->folder = NULL;
		return error_set(error, -ENOMEM, "out of memory");
	}
	setenv("SQLITE_TMPDIR", service->folder, 1);
	return 0;
}

/* The raw sockets of the agent of this process stay open, and so does the store. */
static int drop_privilege(
	const struct revtr_service *service, const struct revtr_service_options *options, struct error *error)
{
	const struct sandbox_needs needs = {.http = true,
		.agent = options->broker != NULL,
		.certificates = options->tls_certificate != NULL,
		.folder = service->folder,
		.connecting = {-1, -1}};
	return sandbox_enter(&needs, error);
}

static int set_up(
	struct revtr_service *service, const struct revtr_service_options *options, struct error *error)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
	int code = uv_loop_init(&service->loop);
	if (code < 0)
		return error_set(error, code, "cannot start an event loop: %s", uv_strerror(code));
	service->loop_open = true;
	service->owner = options->owner;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < (options->tls_certificate ? ARRAY_LEN(numbers) : ARRAY_LEN(numbers) - 1);
		i++) {
		uv_signal_init(&service->loop, &service->signals[i]);
		service->signals[i].data = service;
		uv_signal_start(&service->signals[i], on_signal, numbers[i]);
	}
	code = find_folder(service, options->store, error);
	if (code == 0)
		code = store_open(&service->store, options->store, error);
	if (code == 0)
		code = set_up_key(service, options->store, error);
	if (code == 0)
		code = start_coordinator(service, options, error);
	if (code == 0) {
		open_door(service, options);
		start_agent(service, options);
	}
	if (code == 0)
		code = start_http(service, options, error);
	return code == 0 ? drop_privilege(service, options, error) : code;
}

struct revtr_service *revtr_service_start(const struct revtr_service_options *options, struct error *error)
{
	struct revtr_service *service = calloc(1, sizeof(*service));
	if (!service) {
		(void)error_set(error, -ENOMEM, "out of memory");
		return NULL;
	}
	if (set_up(service, options, error) < 0) {
		revtr_service_stop(service);
		return NULL;
	}
	return service;
}

int revtr_service_run(struct revtr_service *service, struct error *error)
{
	int code = uv_run(&service->loop, UV_RUN_DEFAULT);
	return code < 0 ? error_set(error, code, "the event loop failed: %s", uv_strerror(code)) : 0;
}

/* What is left once everything with an end of its own has been told to end. */
static void close_handle(uv_handle_t *handle, void *context UNUSED)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void revtr_service_stop(struct revtr_service *service)
{
	if (!service)
		return;
	if (service->httpd)
		httpd_stop(service->httpd);
	revtr_api_free(service->api);
	vantage_stop(service->agent);
	bus_door_close(service->door);
	broker_check_free(service->check);
	coordinator_free(service->coordinator, NULL, NULL);
	service->coordinator = NULL;
	if (service->loop_open) {
		uv_run(&service->loop, UV_RUN_NOWAIT);
		uv_run(&service->loop, UV_RUN_NOWAIT);
		bus_free(service->bus, NULL, NULL);
		uv_walk(&service->loop, close_handle, NULL);
		uv_run(&service->loop, UV_RUN_DEFAULT);
		uv_loop_close(&service->loop);
	}
	httpd_free(service->httpd);
	vantage_free(service->agent);
	vantage_free(service->agent_failed);
	store_close(service->store);
	if (service->data_open)
		data_close(&service->data);
	free(service->key_file);
	free(service->socket_file);
	free(service->folder);
	free(service);
}

const char *revtr_service_key_file(const struct revtr_service *service)
{
	return service->key_file;
}

const char *revtr_service_warning(const struct revtr_service *service, unsigned index)
{
	return service->warnings[index].code ? service->warnings[index].text : NULL;
}
