#include "cli/live.h"

static enum machine_want live_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct live *live = self;
	return live->inner.ops->next(live->inner.self, now_ns, outgoing, wake_ns);
}

static void live_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	struct live *live = self;
	live->inner.ops->sent(live->inner.self, token, sent_ns, error);
}

static void live_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	struct live *live = self;
	live->inner.ops->packet(live->inner.self, received_ns, packet);
	live->heard(live->context);
}

struct machine live_machine(struct live *live)
{
	static const struct machine_ops ops = {.next = live_next, .sent = live_sent, .packet = live_packet};
	return (struct machine){.ops = &ops, .self = live};
}
