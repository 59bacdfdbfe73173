#include "serve/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define PREFIX_RATE  50 /* new connections per second */
#define PREFIX_BURST 100
#define TOTAL_RATE   400
#define TOTAL_BURST  400
#define IDLE_NS	     (15 * NS_PER_S)
#define BUSY_NS	     (120 * NS_PER_S) /* the longest answer, slow readers included */

int clients_init(struct clients *clients, struct hash_key key)
{
	*clients = (struct clients){
		.prefix_rate = limit_per_second(PREFIX_RATE, PREFIX_BURST),
		.total_rate = limit_per_second(TOTAL_RATE, TOTAL_BURST),
	};
	return bucket_table_init(&clients->prefixes, key);
}

void clients_deinit(struct clients *clients)
{
	while (clients->first)
		clients_remove(clients, clients->first);
	bucket_table_deinit(&clients->prefixes);
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

static bool has_room(struct clients *clients, struct addr address)
{
	struct addr prefix = prefix_of_client(address);
	unsigned same = 0, open = 0;
	for (const struct client *client = clients->first; client; client = client->next) {
		same += !client->closing && addr_equal(client->prefix, prefix);
		open += !client->closing;
	}
	return same < CLIENTS_OF_PREFIX && (open < CLIENTS_MAX || evict(clients));
}

bool clients_admit(struct clients *clients, struct addr address, int64_t now_ns)
{
	bool admitted = bucket_table_take(&clients->prefixes, &clients->prefix_rate, address, now_ns, 1) &&
		bucket_take(&clients->total, &clients->total_rate, now_ns, 1) && has_room(clients, address);
	clients->refused += !admitted;
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
