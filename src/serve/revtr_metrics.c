/* How the coordinator is, for a page and for Prometheus. Everything is told also while nothing happens: an alarm
 * that is fed by events alone is silent when they stop. */
#include <inttypes.h>
#include <stdlib.h>

#include "serve/revtr_api_inside.h"

#define SILENCE_MS (5 * 60 * 1000) /* work, and no answer for so long */

/* Since the last answer, or since the start while there was none. */
static int64_t age_ms(const struct revtr_api *api, int64_t since_ms)
{
	return MAX(revtr_now_ms() - (since_ms ? since_ms : api->started_ms), 0);
}

static const char *verdict(const struct revtr_api *api, const struct coordinator_health *health)
{
	bool work = health->busy + health->waiting > 0;
	if (health->store_failed)
		return "store-failed";
	if (health->agents_online == 0)
		return "no-agents";
	return work && age_ms(api, health->last_answer_ms) > SILENCE_MS ? "silent" : "ok";
}

void revtr_health_get(const struct revtr_ask *ask)
{
	struct coordinator_health health = coordinator_health(ask->api->config.coordinator);
	const char *word = verdict(ask->api, &health);
	bool well = *word == 'o';
	api_send_json(ask->exchange, well ? STATUS_OK : STATUS_UNAVAILABLE,
		json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:o, s:o}", "state", word, "version", RETOUR_VERSION, "agents_online",
			(int)health.agents_online, "sources", (int)health.sources, "busy", (int)health.busy, "waiting",
			(int)health.waiting, "finished", (json_int_t)health.finished, "last_answer_at",
			revtr_time(health.last_answer_ms), "last_finished_at", revtr_time(health.last_finished_ms)), 0);
}

static void put(FILE *out, const char *type, const char *name, const char *help, double value)
{
	fprintf(out, "# HELP retour_revtr_%s %s\n# TYPE retour_revtr_%s %s\nretour_revtr_%s %.17g\n", name, help, name, type, name,
		value);
}

static void put_agent(void *context, const struct coordinator_agent *agent)
{
	/* Names of agents are letters, digits, '.', '-', '_'. */
	fprintf(context, "retour_revtr_agent_online{agent=\"%s\"} %d\n", agent->name, agent->online);
	fprintf(context, "retour_revtr_agent_tasks_total{agent=\"%s\"} %" PRIu64 "\n", agent->name, agent->tasks);
	fprintf(context, "retour_revtr_agent_answers_total{agent=\"%s\"} %" PRIu64 "\n", agent->name, agent->answers);
}

static void print(FILE *out, const struct revtr_api *api)
{
	struct coordinator_health h = coordinator_health(api->config.coordinator);
	put(out, "gauge", "up", "1 while all is well (docs/revtr.md), else 0.", *verdict(api, &h) == 'o');
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
	put(out, "gauge", "last_answer_age_seconds", "Since the last answer, or the start.",
		(double)age_ms(api, h.last_answer_ms) / 1000);
	put(out, "gauge", "last_finished_age_seconds", "Since a measurement ended, or the start.",
		(double)age_ms(api, h.last_finished_ms) / 1000);
	coordinator_each_agent(api->config.coordinator, put_agent, out);
}

void revtr_metrics_get(const struct revtr_ask *ask)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (out) {
		print(out, ask->api);
		if (fclose(out) != 0) {
			free(text);
			text = NULL;
		}
	}
	api_send_text(ask->exchange, STATUS_OK, "text/plain; version=0.0.4; charset=utf-8", text);
}
