/* How the coordinator is, for a page and for Prometheus. Everything is told also while nothing happens: an
 * alarm that is fed by events alone is silent when they stop. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "revtr/capability.h"
#include "serve/revtr_api_inside.h"

#define SILENCE_NS (5 * 60 * NS_PER_S) /* work, and no answer for so long */

/* Since then, or since the start where it never was. */
static int64_t age_ns(const struct revtr_api *api, int64_t since_ns)
{
	return MAX(clock_monotonic_ns() - MAX(since_ns, api->started_ns), 0);
}

/* ---- the page */

static const char *verdict(const struct revtr_api *api, const struct coordinator_health *health)
{
	bool work = health->busy + health->waiting > 0;
	if (health->store_failed)
		return "store-failed";
	if (health->agents_online == 0)
		return "no-agents";
	return work && age_ns(api, MAX(health->last_answer_ns, health->idle_ns)) > SILENCE_NS ? "silent"
											      : "ok";
}

void revtr_health_get(const struct revtr_ask *ask)
{
	struct coordinator_health health = coordinator_health(ask->api->config.coordinator);
	const char *word = verdict(ask->api, &health);
	bool well = *word == 'o';
	api_send_json(ask->exchange, well ? STATUS_OK : STATUS_UNAVAILABLE,
		json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:o, s:o}", "state", word, "version",
			RETOUR_VERSION, "agents_online", (int)health.agents_online, "sources",
			(int)health.sources, "busy", (int)health.busy, "waiting", (int)health.waiting,
			"finished", (json_int_t)health.finished, "last_answer_at",
			revtr_time(health.last_answer_ms), "last_finished_at",
			revtr_time(health.last_finished_ms)),
		0);
}

/* Who gets no answer to this may start the process anew. */
void revtr_live_get(const struct revtr_ask *ask)
{
	api_send_json(ask->exchange, STATUS_OK, json_pack("{s:s}", "state", "live"), 0);
}

/* Batches are taken, and kept. Without agents they wait: no reason to send clients elsewhere. */
void revtr_ready_get(const struct revtr_ask *ask)
{
	bool failed = coordinator_health(ask->api->config.coordinator).store_failed;
	api_send_json(ask->exchange, failed ? STATUS_UNAVAILABLE : STATUS_OK,
		json_pack("{s:s}", "state", failed ? "store-failed" : "ready"), 0);
}

/* ---- Prometheus: all lines of a name stand together */

static void put_name(FILE *out, const char *type, const char *name, const char *help)
{
	fprintf(out, "# HELP retour_revtr_%s %s\n# TYPE retour_revtr_%s %s\n", name, help, name, type);
}

static void put(FILE *out, const char *type, const char *name, const char *help, double value)
{
	put_name(out, type, name, help);
	fprintf(out, "retour_revtr_%s %.17g\n", name, value);
}

/* One value of all agents, or of all sources. */
struct column {
	FILE *out;
	const struct revtr_api *api;
	const char *name, *type, *help;
	double (*agent)(const struct revtr_api *api, const struct coordinator_agent *agent);
	double (*source)(const struct revtr_api *api, const struct coordinator_source *source);
};

static double age_s(const struct revtr_api *api, int64_t since_ns)
{
	return (double)age_ns(api, since_ns) / NS_PER_S;
}

static double agent_online(const struct revtr_api *api UNUSED, const struct coordinator_agent *agent)
{
	return agent->online;
}

static double agent_tasks(const struct revtr_api *api UNUSED, const struct coordinator_agent *agent)
{
	return (double)agent->tasks;
}

static double agent_answers(const struct revtr_api *api UNUSED, const struct coordinator_agent *agent)
{
	return (double)agent->answers;
}

/* Of what has been tested. */
static double agent_unable(const struct revtr_api *api UNUSED, const struct coordinator_agent *agent)
{
	const struct capability *known = agent->capability;
	return (known->options.can == AGENT_CANNOT) + (known->spoof.can == AGENT_CANNOT) +
		(known->receive.can == AGENT_CANNOT);
}

static double agent_asked(const struct revtr_api *api, const struct coordinator_agent *agent)
{
	return age_s(api, agent->asked_ns);
}

static double agent_worked(const struct revtr_api *api, const struct coordinator_agent *agent)
{
	return age_s(api, agent->worked_ns);
}

static double source_ready(const struct revtr_api *api UNUSED, const struct coordinator_source *source)
{
	return source->consents && source->agent_online;
}

static double source_traces(const struct revtr_api *api UNUSED, const struct coordinator_source *source)
{
	return source->traces;
}

/* The atlas outlives the process: its age is not since the start. */
static double source_traced(const struct revtr_api *api UNUSED, const struct coordinator_source *source)
{
	return source->traces > 0 ? (double)(clock_monotonic_ns() - source->traced_ns) / NS_PER_S : 0;
}

static double source_finished(const struct revtr_api *api, const struct coordinator_source *source)
{
	return age_s(api, source->finished_ns);
}

static double source_reached(const struct revtr_api *api, const struct coordinator_source *source)
{
	return age_s(api, source->reached_ns);
}

static const struct column columns[] = {
	{.name = "agent_online",
		.type = "gauge",
		.help = "1 while the agent is there.",
		.agent = agent_online},
	{.name = "agent_tasks_total",
		.type = "counter",
		.help = "Tasks given to the agent.",
		.agent = agent_tasks},
	{.name = "agent_answers_total",
		.type = "counter",
		.help = "Answers that came to the agent.",
		.agent = agent_answers},
	{.name = "agent_unable",
		.type = "gauge",
		.help = "What the agent was found unable to do: options, others' names, answers to others.",
		.agent = agent_unable},
	{.name = "agent_last_task_age_seconds",
		.type = "gauge",
		.help = "Since the agent was given a task, or the start.",
		.agent = agent_asked},
	{.name = "agent_last_success_age_seconds",
		.type = "gauge",
		.help = "Since a packet that the agent sent was answered, or the start.",
		.agent = agent_worked},
	{.name = "source_ready",
		.type = "gauge",
		.help = "1 while the source consents and its agent is there.",
		.source = source_ready},
	{.name = "source_traceroutes",
		.type = "gauge",
		.help = "Traceroutes to the source that are believed.",
		.source = source_traces},
	{.name = "source_newest_traceroute_age_seconds",
		.type = "gauge",
		.help = "Of these the newest; 0 without any.",
		.source = source_traced},
	{.name = "source_last_finished_age_seconds",
		.type = "gauge",
		.help = "Since a measurement to the source ended, or the start.",
		.source = source_finished},
	{.name = "source_last_reached_age_seconds",
		.type = "gauge",
		.help = "Since one found the whole way, or the start.",
		.source = source_reached},
};

/* Names of agents are letters, digits, '.', '-', '_'. */
static void put_agent(void *context, const struct coordinator_agent *agent)
{
	const struct column *column = context;
	fprintf(column->out, "retour_revtr_%s{agent=\"%s\"} %.17g\n", column->name, agent->name,
		column->agent(column->api, agent));
}

static void put_source(void *context, const struct coordinator_source *source)
{
	const struct column *column = context;
	char text[ADDR_TEXT_SIZE];
	fprintf(column->out, "retour_revtr_%s{source=\"%s\"} %.17g\n", column->name,
		addr_format(source->address, text), column->source(column->api, source));
}

static void print_columns(FILE *out, const struct revtr_api *api)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		struct column column = columns[i];
		column.out = out;
		column.api = api;
		put_name(out, column.type, column.name, column.help);
		if (column.agent)
			coordinator_each_agent(api->config.coordinator, put_agent, &column);
		else
			coordinator_each_source(api->config.coordinator, put_source, &column);
	}
}

/* By the clock of the day: it outlives the process. */
static double oldest_s(const struct revtr_api *api)
{
	int64_t ended_ms;
	struct error error;
	if (store_oldest_end(api->config.store, &ended_ms, &error) < 0 || ended_ms == 0)
		return 0;
	return (double)MAX(revtr_now_ms() - ended_ms, 0) / 1000;
}

static void print(FILE *out, const struct revtr_api *api, bool by_name)
{
	struct coordinator_health h = coordinator_health(api->config.coordinator);
	put(out, "gauge", "up", "1 while all is well (docs/revtr.md), else 0.", *verdict(api, &h) == 'o');
	put(out, "gauge", "uptime_seconds", "Since the start.", age_s(api, 0));
	put(out, "gauge", "busy", "Measurements that go on.", h.busy);
	put(out, "gauge", "waiting", "Measurements that wait for their turn.", h.waiting);
	put(out, "gauge", "agents_online", "Agents that are there.", h.agents_online);
	put(out, "gauge", "sources", "Registered sources.", h.sources);
	put(out, "counter", "finished_total", "Measurements that have ended.", (double)h.finished);
	put(out, "counter", "reached_total", "Those with the whole way back.", (double)h.reached);
	put(out, "counter", "tasks_total", "Tasks given to agents.", (double)h.tasks);
	put(out, "counter", "answers_total", "Answers of agents.", (double)h.answers);
	put(out, "counter", "foreign_total", "Answers nobody had asked for.", (double)h.foreign);
	put(out, "gauge", "store_failed", "1 while the store does not take what is written.", h.store_failed);
	put(out, "gauge", "results_kept", "Results in the store.", (double)h.results);
	put(out, "counter", "results_removed_total", "Results that were removed, as they were old.",
		(double)h.removed);
	put(out, "gauge", "oldest_ended_batch_age_seconds",
		"Of the batches that have ended and are kept, since the first did; 0 without any.",
		oldest_s(api));
	put(out, "gauge", "last_answer_age_seconds", "Since the last answer, or the start.",
		age_s(api, h.last_answer_ns));
	put(out, "gauge", "last_finished_age_seconds", "Since a measurement ended, or the start.",
		age_s(api, h.last_finished_ns));
	if (by_name)
		print_columns(out, api);
	struct httpd_counters http = httpd_counters(*api->config.httpd);
	metrics_print_http(out, &http);
}

/* Who the agents and the sources are is not for strangers. */
void revtr_metrics_get(const struct revtr_ask *ask)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (out) {
		print(out, ask->api,
			addr_is_loopback(httpd_peer(ask->exchange)->address) ||
				revtr_api_may_send(ask->api, ask->exchange));
		if (fclose(out) != 0) {
			free(text);
			text = NULL;
		}
	}
	api_send_text(ask->exchange, STATUS_OK, "text/plain; version=0.0.4; charset=utf-8", text);
}
