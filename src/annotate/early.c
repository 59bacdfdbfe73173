#include "annotate/early.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define ADDRESSES_MAX 512
/* Enough for every path; whoever forges answers gets no more questions out of us. */
#define HEARD_MAX 96

struct early {
	struct resolver *resolver;
	struct addr target;
	bool stopped;
	struct addr addrs[ADDRESSES_MAX];
	char *names[ADDRESSES_MAX];
	unsigned count;
};

static unsigned place_of(const struct early *early, struct addr addr)
{
	unsigned i = 0;
	while (i < early->count && !addr_equal(early->addrs[i], addr))
		i++;
	return i;
}

void early_ask(struct early *early, struct addr addr)
{
	if (early->count == ADDRESSES_MAX || !addr_is_unicast(addr) || place_of(early, addr) < early->count)
		return;
	early->addrs[early->count] = addr;
	resolver_ask_name(early->resolver, addr, &early->names[early->count++]);
}

const char *early_name(const struct early *early, struct addr addr)
{
	unsigned place = place_of(early, addr);
	return place < early->count ? early->names[place] : NULL;
}

int early_new(struct early **out, struct addr target, struct error *error)
{
	struct early *early = calloc(1, sizeof(*early));
	*out = NULL;
	if (!early)
		return error_set(error, -ENOMEM, "out of memory");
	int code = resolver_new(&early->resolver, error);
	if (code < 0) {
		free(early);
		return code;
	}
	early->target = target;
	*out = early;
	return 0;
}

void early_free(struct early *early)
{
	if (!early)
		return;
	resolver_free(early->resolver);
	for (unsigned i = 0; i < early->count; i++)
		free(early->names[i]);
	free(early);
}

static enum machine_want next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	const struct early *early = self;
	(void)now_ns;
	(void)outgoing;
	*wake_ns = TIME_NEVER;
	return early->stopped ? MACHINE_DONE : MACHINE_WAIT;
}

static void sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	(void)self;
	(void)token;
	(void)sent_ns;
	(void)error;
}

static void packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct early *early = self;
	(void)received_ns;
	if (packet->has_quote && early->count < HEARD_MAX &&
		addr_equal(packet->quoted_ip.destination, early->target))
		early_ask(early, packet->ip.source);
}

struct machine early_machine(struct early *early)
{
	static const struct machine_ops ops = {.next = next, .sent = sent, .packet = packet};
	return (struct machine){.ops = &ops, .self = early};
}

void early_stop(struct early *early)
{
	early->stopped = true;
}

struct resolver *early_resolver(struct early *early)
{
	return early->resolver;
}
