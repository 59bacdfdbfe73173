/* The coordinator: takes measurements, runs the engine, hands tasks to agents and results to whoever waits,
 * keeps what must not be lost. One process, one loop.
 *
 * What may be lost when it is killed: tasks under way, and what the engine had learned since the last start
 * that is not in the store (chains of Record Route). What may not: sources, batches that were acknowledged,
 * results, the atlas, the survey. When it starts again it asks the store what still waits and goes on. */
#ifndef RETOUR_REVTR_COORDINATOR_H
#define RETOUR_REVTR_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "revtr/atlas.h"
#include "revtr/engine.h"
#include "store/store.h"

struct bus;
struct capability;
struct uv_loop_s;
struct coordinator;

struct coordinator_options {
	struct revtr_options engine;
	const struct prefix *opt_out; /* nobody is measured in there; borrowed */
	size_t opt_out_count;
	unsigned busy_max; /* measurements at once; 0 = 10,000 */
	/* Packets with options into one network (its AS by local data, else its /16) a day; 0 = 100,000. */
	unsigned per_network;
#define COORDINATOR_NO_LIMIT UINT32_MAX
	/* Addresses that are known to answer, whose distances agents find out now and then; only for
	 * coordinator_new. */
	const uint32_t *hitlist;
	unsigned hitlist_count;
	unsigned keep_days;	/* so long results are kept after the last of their batch; 0 = for ever */
	unsigned atlas_per_day; /* traceroutes to a source that agents make of their own accord; 0 = on
				   request only */
	/* The network of an address, 0 = not known; NULL = nothing is known of networks, and nothing is
	 * assumed. */
	uint32_t (*asn)(void *context, uint32_t address);
	void *asn_context;
	/* So long a source's agent that is away is waited for; 0 = 10 s for whoever waits, an hour for
	 * campaigns. */
	int64_t patience_ns;
	/* What an operator may want to know: agents come and go, sources are registered. One line; NULL =
	 * nobody does. */
	void (*tell)(const char *text);
};

/* Borrows loop, store and bus. NULL with `error`. */
struct coordinator *coordinator_new(struct uv_loop_s *loop, struct store *store, struct bus *bus,
	const struct coordinator_options *options, struct error *error);
void coordinator_free(struct coordinator *coordinator, void (*closed)(void *context), void *context);

/* The way to the agents is broken: those who are there will say so when it is whole again. */
void coordinator_disconnected(struct coordinator *coordinator);

/* ---- for clients */

struct coordinator_batch {
	const char *key;     /* the client's name */
	const char *request; /* its own name for the batch, NULL = none */
	int priority;	     /* 0 = a campaign; higher overtakes */
	unsigned part;	     /* large ones come in parts, numbered from 0 on; only with a name */
	bool more;	     /* and this is not the last */
};
struct coordinator_ask {
	struct addr source, destination;
	const char *label; /* or NULL */
};
/* All or none is taken; a part that is known adds nothing. What waits is in the store: it costs no memory.
 * With a line that says which, -EPERM: a source that is not registered or does not consent; -EINVAL: an
 * address that cannot be measured; -EDQUOT: over the client's limits; -ENOTCONN: what shall overtake others
 * would wait for an agent that is away. */
int coordinator_submit(struct coordinator *coordinator, const struct coordinator_batch *batch,
	const struct coordinator_ask *asks, size_t count, int64_t *id, struct error *error) MUST_USE;
int coordinator_cancel(struct coordinator *coordinator, int64_t batch, struct error *error) MUST_USE;

/* Whom a batch waits for: the agent of the source of what was handed in last is away. false: for nobody. */
struct coordinator_awaited {
	char agent[64];
	struct addr source;
	int64_t until_ms; /* what waits is given up then */
};
bool coordinator_awaits(
	const struct coordinator *coordinator, int64_t batch, struct coordinator_awaited *awaited) MUST_USE;

/* Results as they come, as JSON text of one measurement (docs/revtr.md); of one batch, or of all (0). Those
 * that are finished already are told first. Until coordinator_unlisten. */
typedef void coordinator_told(void *context, int64_t batch, int64_t measurement, const char *json, bool last);
struct coordinator_listener;
struct coordinator_listener *coordinator_listen(
	struct coordinator *coordinator, int64_t batch, coordinator_told *told, void *context);
void coordinator_unlisten(struct coordinator_listener *listener);

/* ---- sources and agents */

/* Sources register themselves: what an agent's owner lists is checked by other agents, and taken away again
 * with the list. This is for an operator who knows better: a source that is in the store already. Its agent
 * must list it all the same, or it does not take the key. 0, -ENOMEM, -ENOSPC: too many agents. */
int coordinator_add_source(struct coordinator *coordinator, const struct store_source *source) MUST_USE;

struct coordinator_agent {
	char name[64];
	struct addr address;
	bool online, may_spoof, sends_options;
	int64_t since_ms;
	/* By the monotonic clock, 0 = never: it was given a task; a packet that it sent was answered,
	 * wherever to. */
	int64_t asked_ns, worked_ns;
	uint64_t tasks, answers;
	char note[510];			     /* what its owner should know, "" = nothing */
	const struct capability *capability; /* what tests with others have found; borrowed for the call */
	bool testing;
};
void coordinator_each_agent(struct coordinator *coordinator,
	void (*each)(void *context, const struct coordinator_agent *agent), void *context);
struct coordinator_source {
	struct addr address;
	bool listed, consents, agent_online; /* listed: by its agent's owner, since this coordinator runs */
	unsigned traces;		     /* of its atlas that are believed */
	/* By the monotonic clock, 0 = never: the newest of them; a measurement ended; one found the whole
	 * way. */
	int64_t traced_ns, finished_ns, reached_ns;
};
void coordinator_each_source(const struct coordinator *coordinator,
	void (*each)(void *context, const struct coordinator_source *source), void *context);
/* Test an agent with the help of the others, as is done by itself now and then; it takes some seconds. 0,
 * -ENOENT, -EINVAL: it is not there. */
int coordinator_test_agent(struct coordinator *coordinator, const char *name, struct error *error) MUST_USE;

/* Traceroutes from all agents to a source, then Record Route to their hops; and the survey of prefixes.
 * Within the budget of the day. 0, -ENOENT, or -ENOTCONN: there is nobody to ask. */
int coordinator_refresh_atlas(
	struct coordinator *coordinator, struct addr source, struct error *error) MUST_USE;

struct coordinator_network {
	char name[40]; /* AS64500, or 192.0.0.0/16 where no AS is known */
	int64_t spent, per_day;
};
/* Those that had most of their packets for today. */
void coordinator_each_network(struct coordinator *coordinator,
	void (*each)(void *context, const struct coordinator_network *network), void *context);

/* Traceroutes to a source that others made; how many were taken, and how many were not for which reason. */
int coordinator_import_traces(struct coordinator *coordinator, struct addr source, struct atlas_trace *traces,
	size_t count, size_t counts[static ATLAS_REFUSALS], struct error *error) MUST_USE;
struct coordinator_trace {
	const char *origin;
	bool imported,
		doubted; /* doubted: Record Route contradicts it; it is believed again when it is made anew */
	unsigned hops, uses;	  /* uses: ways back that led over it, since it was made */
	double saved;		  /* hops that they took from it; older ones count less */
	int64_t seen_ms, used_ms; /* used_ms 0 = never */
};
int coordinator_each_trace(struct coordinator *coordinator, struct addr source,
	void (*each)(void *context, const struct coordinator_trace *trace), void *context,
	struct error *error) MUST_USE;
/* All of them are forgotten. */
int coordinator_clean_atlas(
	struct coordinator *coordinator, struct addr source, struct error *error) MUST_USE;

/* Which addresses are one router's: `counts[i]` of `addresses` are one's. -E2BIG. */
int coordinator_import_aliases(struct coordinator *coordinator, const uint32_t *addresses,
	const unsigned *counts, size_t count, struct error *error) MUST_USE;
/* Ask routers which other addresses they have: a UDP packet to a port that is hardly open goes to each
 * address, and who refuses it from another address has both. That takes seconds, within all limits; one round
 * at a time.
 *
 * What stands before an address may refuse packets in its stead, so unless the packet's own list shows that
 * it got there an echo reply from the address must have passed as many routers as the refusal. Sets that are
 * found are kept as those that are imported, joined with what is known of their addresses. */
#define COORDINATOR_PROBED_MAX 1000 /* addresses of one round */
enum coordinator_alias {
	ALIAS_WAITING,
	ALIAS_FOUND,
	ALIAS_ITSELF,	 /* it refuses with the address that was asked: no other shows */
	ALIAS_ELSEWHERE, /* another address answers, and it is not shown to be the same router's */
	ALIAS_SILENT,	 /* which tells nothing */
	ALIAS_NOT_ASKED,
};
struct coordinator_probed {
	struct addr address;
	enum coordinator_alias state;
	struct addr from;	/* who refused; none = nobody has */
	const uint32_t *others; /* ALIAS_FOUND: its router's other addresses that showed */
	unsigned other_count;
	const char *why; /* ALIAS_NOT_ASKED */
};
/* 0 with the round's number; -EINVAL, -E2BIG; -EBUSY: another one is under way; -ENOTCONN: there is nobody to
 * ask. */
int coordinator_probe_aliases(struct coordinator *coordinator, const uint32_t *addresses, size_t count,
	unsigned *round, struct error *error) MUST_USE;
/* The last round: its number, 0 = there was none; `done`: nothing of it waits any more. */
unsigned coordinator_each_probed(const struct coordinator *coordinator,
	void (*each)(void *context, const struct coordinator_probed *probed), void *context, bool *done);
void coordinator_count_aliases(const struct coordinator *coordinator, size_t *sets, size_t *addresses);

/* ---- health: for a page and for Prometheus; silence shows, too */
struct coordinator_health {
	unsigned busy, waiting, agents_online, sources;
	uint64_t finished, reached, tasks, answers, foreign;
	uint64_t results, removed; /* kept in the store, by whatever run; removed by this one, as they were old */
	int64_t last_answer_ms, last_finished_ms; /* 0 = never */
	int64_t last_answer_ns, last_finished_ns; /* the same, by the clock that nobody sets */
	int64_t idle_ns;			  /* to the minute: when there was nothing to do, last */
	bool store_failed;
};
struct coordinator_health coordinator_health(const struct coordinator *coordinator);

#endif
