/* One looking glass is asked; the next where it fails, or is slow. The nearest one that shows a whole path
 * stands; those that are nearer are waited for. */
#include "reverse/lg_method.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "reverse/asking.h"
#include "reverse/lg_run.h"
#include "reverse/public_address.h"
#include "reverse/vantage.h"

#define TIMEOUT_NS  (70 * NS_PER_S)
#define EACH_NS	    (60 * NS_PER_S)
#define PATIENCE_MS 5000 /* with one that has not answered yet, before the next is asked, too */

struct lg_search;

struct lg_entry {
	struct lg_search *search;
	const struct settings_looking_glass *glass;
	enum vantage_distance distance;
	bool far_host; /* it stands there itself */
	bool begun, ended;
	struct lg_run *run;
	enum attempt_status status;
	char detail[LG_DETAIL_SIZE];
	struct path *path;
};

struct lg_search {
	struct asking asking;
	struct public_inquiry *inquiry;
	struct public_view view;
	struct vantage_scene scene;
	uv_timer_t patience;
	bool open;		  /* the timer is */
	struct lg_entry *entries; /* nearest first */
	size_t count;
	struct lg_entry *chosen; /* whose path is the result */
};

static struct lg_search *search_of(struct asking *asking)
{
	return (struct lg_search *)asking; /* its first member */
}

/* ---- the end */

static void drop(void *context)
{
	asking_drop(context);
}

static void on_timer_closed(uv_handle_t *handle)
{
	asking_drop(handle->data);
}

static void stop_run(struct lg_entry *entry)
{
	if (entry->run)
		lg_run_free(entry->run, drop, &entry->search->asking);
	entry->run = NULL;
}

static void close_all(struct lg_search *search)
{
	public_address_cancel(search->inquiry);
	search->inquiry = NULL;
	for (size_t i = 0; i < search->count; i++)
		stop_run(&search->entries[i]);
	if (search->open)
		uv_close((uv_handle_t *)&search->patience, on_timer_closed);
	search->open = false;
}

static void search_cancel(struct asking *asking)
{
	close_all(search_of(asking));
}

static void search_destroy(struct asking *asking)
{
	struct lg_search *search = search_of(asking);
	for (size_t i = 0; i < search->count; i++)
		path_free(search->entries[i].path);
	free(search->entries);
	free(search);
}

/* ---- the result */

static void tell(struct lg_search *search, const char *more)
{
	struct lg_entry *entry = search->chosen;
	struct path *path = entry->path;
	entry->path = NULL;
	asking_finish(&search->asking, entry->status, path, "from %s, %s%s%s%s%s", entry->glass->name,
		path->vantage ? vantage_phrase(entry->distance) : "on the far host itself",
		entry->detail[0] ? "; " : "", entry->detail, more[0] ? "; " : "", more);
	close_all(search);
}

static void tell_as_it_is(struct lg_search *search)
{
	bool nat = search->view.translated && search->chosen->path->reached;
	tell(search, nat ? "reached your NAT: what is behind it is not seen" : "");
}

static void on_address_again(struct asking *asking, const struct public_view *view)
{
	struct lg_search *search = search_of(asking);
	char then[ADDR_TEXT_SIZE], now[ADDR_TEXT_SIZE], text[200];
	search->inquiry = NULL;
	if (!addr_is_set(view->address) || addr_equal(view->address, search->view.address)) {
		tell_as_it_is(search);
		return;
	}
	asking->public_address = search->view.address; /* the one that was traced to */
	search->chosen->status = ATTEMPT_PARTIAL;
	snprintf(text, sizeof(text),
		"your public address changed meanwhile, from %s to %s: this is the way to the old one",
		addr_format(search->view.address, then), addr_format(view->address, now));
	tell(search, text);
}

/* What was told by somebody about our address may have changed since. */
static void end_with(struct lg_search *search, struct lg_entry *entry)
{
	struct vantage *vantage = entry->path->vantage;
	search->chosen = entry;
	for (size_t i = 0; i < search->count; i++)
		stop_run(&search->entries[i]);
	uv_timer_stop(&search->patience);
	/* Who answered may be known by now. */
	if (vantage)
		entry->distance = vantage->distance =
			vantage_distance_of(&search->scene, vantage->address, vantage->asn);
	if (!public_address_may_change(&search->view) ||
		public_address_ask(&search->inquiry, &search->asking, on_address_again) < 0)
		tell_as_it_is(search);
}

static void end_without(struct lg_search *search)
{
	char text[ASKING_DETAIL_SIZE] = "";
	size_t used = 0;
	for (size_t i = 0; i < search->count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s: %s", i > 0 ? "; " : "",
			search->entries[i].glass->name, search->entries[i].detail);
	asking_finish(&search->asking, search->entries[0].status, NULL, "%s", text);
	close_all(search);
}

/* Nobody who stands nearer than `entry` may still answer. */
static bool nearest(const struct lg_search *search, const struct lg_entry *entry)
{
	for (const struct lg_entry *other = search->entries; other < entry; other++)
		if (!other->ended &&
			(other->far_host != entry->far_host || other->distance < entry->distance))
			return false;
	return true;
}

/* The best there is so far; NULL: none. `certain`: it cannot get any better. */
static struct lg_entry *best_of(struct lg_search *search, bool *certain)
{
	struct lg_entry *best = NULL;
	*certain = true;
	for (size_t i = 0; i < search->count; i++) {
		struct lg_entry *entry = &search->entries[i];
		if (entry->path && entry->status == ATTEMPT_OK) {
			*certain = nearest(search, entry);
			return entry;
		}
		*certain &= entry->ended;
		if (entry->path && !best)
			best = entry;
	}
	return best;
}

/* ---- asking */

static void ask_next(struct lg_search *search);

static void on_patience(uv_timer_t *timer)
{
	ask_next(timer->data);
}

static void settle(struct lg_search *search)
{
	bool certain;
	struct lg_entry *best = best_of(search, &certain);
	if (search->asking.finished || search->chosen)
		return;
	if (certain && best)
		end_with(search, best);
	else if (certain)
		end_without(search);
	else if (!best || best->status != ATTEMPT_OK)
		ask_next(search);
}

static void on_result(void *context, struct lg_result *result)
{
	struct lg_entry *entry = context;
	struct lg_search *search = entry->search;
	entry->ended = true;
	entry->status = result->status;
	entry->path = result->path;
	result->path = NULL;
	snprintf(entry->detail, sizeof(entry->detail), "%s", result->detail);
	stop_run(entry);
	settle(search);
}

/* False: it cannot even be asked. */
static bool begin_entry(struct lg_search *search, struct lg_entry *entry)
{
	struct error error = {0};
	struct lg_ask ask = {
		.glass = entry->glass,
		.to = search->view.address,
		.target = search->asking.task.target,
		.timeout_ns = EACH_NS,
	};
	entry->begun = true;
	entry->run = lg_run_new(search->asking.task.outside->loop, &ask, on_result, entry, &error);
	if (entry->run) {
		asking_hold(&search->asking);
		asking_say(&search->asking, "%s has not answered yet", entry->glass->name);
		uv_timer_start(&search->patience, on_patience, PATIENCE_MS, 0);
		return true;
	}
	entry->ended = true;
	entry->status = ATTEMPT_UNAVAILABLE;
	snprintf(entry->detail, sizeof(entry->detail), "%.*s", (int)sizeof(entry->detail) - 1, error.text);
	return false;
}

static void ask_next(struct lg_search *search)
{
	for (size_t i = 0; i < search->count; i++)
		if (!search->entries[i].begun && begin_entry(search, &search->entries[i]))
			return;
	bool certain;
	best_of(search, &certain);
	if (certain)
		settle(search);
}

/* ---- which ones */

static void place(struct lg_search *search, struct lg_entry *entry)
{
	struct addr address = ADDR_NONE;
	const struct settings_looking_glass *glass = entry->glass;
	if (glass->address && !addr_parse(glass->address, &address))
		address = ADDR_NONE;
	entry->far_host = addr_is_set(address) && addr_equal(address, search->asking.task.target);
	entry->distance = vantage_distance_of(&search->scene, address, glass->asn);
}

static int by_distance(const void *a, const void *b)
{
	const struct lg_entry *first = a, *second = b;
	if (first->far_host != second->far_host)
		return first->far_host ? -1 : 1;
	if (first->distance != second->distance)
		return first->distance < second->distance ? -1 : 1;
	return first->glass < second->glass ? -1 : 1; /* as in the file */
}

static bool choose(struct lg_search *search)
{
	const struct settings *settings = search->asking.task.outside->settings;
	const char *wanted = search->asking.task.parameter;
	search->entries = calloc(settings->looking_glass_count + 1, sizeof(*search->entries));
	for (size_t i = 0; search->entries && i < settings->looking_glass_count; i++) {
		const struct settings_looking_glass *glass = &settings->looking_glasses[i];
		if (wanted && strcmp(glass->name, wanted) != 0)
			continue;
		struct lg_entry *entry = &search->entries[search->count++];
		*entry = (struct lg_entry){.search = search, .glass = glass};
		place(search, entry);
	}
	if (search->count > 0)
		qsort(search->entries, search->count, sizeof(*search->entries), by_distance);
	return search->count > 0;
}

static void say_none(struct lg_search *search)
{
	const struct settings *settings = search->asking.task.outside->settings;
	const char *wanted = search->asking.task.parameter;
	char names[160] = "";
	size_t used = 0;
	for (size_t i = 0; i < settings->looking_glass_count && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
			settings->looking_glasses[i].name);
	if (settings->looking_glass_count == 0)
		asking_finish(&search->asking, ATTEMPT_UNAVAILABLE, NULL,
			"no looking glass is configured: name one under looking_glasses in config.yaml");
	else
		asking_finish(&search->asking, ATTEMPT_UNAVAILABLE, NULL,
			"no looking glass of the settings is called '%s'; there are: %s", wanted, names);
}

static void on_address(struct asking *asking, const struct public_view *view)
{
	struct lg_search *search = search_of(asking);
	const struct reverse_task *task = &asking->task;
	search->inquiry = NULL;
	search->view = *view;
	if (!addr_is_set(view->address)) {
		asking_finish(asking, ATTEMPT_UNAVAILABLE, NULL, "%s",
			view->note[0] ? view->note
				      : "our public address is not known: say it with --public-address");
		return;
	}
	vantage_scene_open(&search->scene, task->target, asking->forward, task->outside->data_dir);
	if (!choose(search)) {
		say_none(search);
		return;
	}
	uv_timer_init(task->outside->loop, &search->patience);
	search->patience.data = search;
	search->open = true;
	asking_hold(asking);
	ask_next(search);
}

static void search_begin(struct asking *asking)
{
	if (public_address_ask(&search_of(asking)->inquiry, asking, on_address) < 0)
		asking_finish(asking, ATTEMPT_FAILED, NULL, "out of memory");
}

static void *start(const struct reverse_task *task)
{
	static const struct asking_ops ops = {search_begin, search_cancel, search_destroy};
	struct lg_search *search = calloc(1, sizeof(*search));
	if (search)
		asking_init(&search->asking, &ops, task, TIMEOUT_NS);
	return search;
}

static bool configured(const struct reverse_task *task)
{
	return task->outside->settings->looking_glass_count > 0;
}

const struct reverse_method lg_method = {.name = "lg",
	.parameter = "NAME",
	.ipv4 = true,
	.ipv6 = true,
	.third_party = true,
	.configured = configured,
	.start = start,
	ASKING_METHOD};
