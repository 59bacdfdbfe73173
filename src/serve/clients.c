#include "serve/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define IDLE_NS (15 * NS_PER_S)
#define BUSY_NS (120 * NS_PER_S) /* the longest answer, slow readers included */

static int rate_init(struct client_rate *rate, struct hash_key key, unsigned of_prefix, unsigned of_all)
{
	rate->prefix_limit = limit_per_second(of_prefix, 2 * of_prefix);
	rate->total_limit = limit_per_second(of_all, of_all);
	return bucket_table_init(&rate->prefixes, key);
}

static bool rate_take(struct client_rate *rate, struct addr address, bool of_prefix, int64_t now_ns)
{
	if (of_prefix && !bucket_table_take(&rate->prefixes, &rate->prefix_limit, address, now_ns, 1))
		return false;
	return bucket_take(&rate->total, &rate->total_limit, now_ns, 1);
}

int clients_init(struct clients *clients, struct hash_key key)
{
	*clients = (struct clients){0};
	int code = rate_init(&clients->connecting, key, CLIENTS_CONNECTING_OF_PREFIX, CLIENTS_CONNECTING);
	return code < 0 ? code : rate_init(&clients->asking, key, CLIENTS_ASKING_OF_PREFIX, CLIENTS_ASKING);
}

void clients_deinit(struct clients *clients)
{
	while (clients->first)
		clients_remove(clients, clients->first);
	bucket_table_deinit(&clients->connecting.prefixes);
	bucket_table_deinit(&clients->asking.prefixes);
}

static void unlink_client(struct clients *clients, struct client *client)
{
	*(client->previous ? &client->previous->next : &clients->first) = client->next;
	*(client->next ? &client->next->previous : &clients->last) = client->previous;
}

static void append(struct clients *clients, struct client *client)
{
	client->previous = clients->last;
	client->next = NULL;
	*(clients->last ? &clients->last->next : &clients->first) = client;
	clients->last = client;
}

static struct addr prefix_of_client(struct addr address)
{
	return prefix_of(address, address.family == 4 ? 24 : 48).addr;
}

/* Its end of the connection is seen by libmicrohttpd, which then forgets it. */
static void shut(struct client *client)
{
	client->closing = true;
	shutdown(client->fd, SHUT_RDWR);
}

static bool evict(struct clients *clients)
{
	for (struct client *client = clients->first; client; client = client->next) {
		if (client->busy || client->closing)
			continue;
		shut(client);
		clients->evicted++;
		return true;
	}
	return false;
}

static bool has_room(struct clients *clients, struct addr address, bool proxy)
{
	struct addr prefix = prefix_of_client(address);
	unsigned same = 0, open = 0;
	for (const struct client *client = clients->first; client; client = client->next) {
		same += !client->closing && addr_equal(client->prefix, prefix);
		open += !client->closing;
	}
	return (proxy || same < CLIENTS_OF_PREFIX) && (open < CLIENTS_MAX || evict(clients));
}

bool clients_admit(struct clients *clients, struct addr address, bool proxy, int64_t now_ns)
{
	bool admitted =
		rate_take(&clients->connecting, address, !proxy, now_ns) && has_room(clients, address, proxy);
	clients->refused += !admitted;
	return admitted;
}

bool clients_ask(struct clients *clients, struct addr address, int64_t now_ns)
{
	bool admitted = rate_take(&clients->asking, address, true, now_ns);
	clients->requests_refused += !admitted;
	return admitted;
}

struct client *clients_add(struct clients *clients, struct addr address, int fd, int64_t now_ns)
{
	struct client *client = calloc(1, sizeof(*client));
	if (!client)
		return NULL;
	client->prefix = prefix_of_client(address);
	client->fd = fd;
	client->since_ns = now_ns;
	append(clients, client);
	clients->count++;
	clients->accepted++;
	return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
	unlink_client(clients, client);
	clients->count--;
	free(client);
}

void clients_set_busy(struct clients *clients, struct client *client, bool busy, int64_t now_ns)
{
	client->busy = busy;
	client->since_ns = now_ns;
	unlink_client(clients, client);
	append(clients, client);
}

void clients_sweep(struct clients *clients, int64_t now_ns)
{
	for (struct client *client = clients->first; client; client = client->next) {
		if (now_ns - client->since_ns < IDLE_NS)
			break;
		if (!client->closing && now_ns - client->since_ns >= (client->busy ? BUSY_NS : IDLE_NS))
			shut(client);
	}
}
