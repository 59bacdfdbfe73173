#include "reverse/asking.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/escape.h"

void asking_init(struct asking *asking, const struct asking_ops *ops, const struct reverse_task *task,
	int64_t timeout_ns)
{
	*asking = (struct asking){
		.ops = ops, .task = *task, .timeout_ns = timeout_ns, .status = ATTEMPT_TIMEOUT, .holds = 1};
	snprintf(asking->detail, sizeof(asking->detail), "no answer yet");
}

void asking_hold(struct asking *asking)
{
	asking->holds++;
}

void asking_drop(struct asking *asking)
{
	if (--asking->holds > 0)
		return;
	path_free(asking->path);
	asking->ops->destroy(asking);
}

static void set_detail(struct asking *asking, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
static void set_detail(struct asking *asking, const char *format, va_list arguments)
{
	char text[ASKING_DETAIL_SIZE];
	vsnprintf(text, sizeof(text), format, arguments);
	escape_text(text, asking->detail, sizeof(asking->detail));
}

void asking_say(struct asking *asking, const char *format, ...)
{
	va_list arguments;
	if (asking->finished)
		return;
	va_start(arguments, format);
	set_detail(asking, format, arguments);
	va_end(arguments);
}

void asking_finish(
	struct asking *asking, enum attempt_status status, struct path *path, const char *format, ...)
{
	va_list arguments;
	if (asking->finished) {
		path_free(path);
		return;
	}
	va_start(arguments, format);
	set_detail(asking, format, arguments);
	va_end(arguments);
	asking->finished = true;
	asking->status = status;
	asking->path = path;
	asking->ended_ns = clock_monotonic_ns();
	if (!asking->abandoned)
		asking->task.outside->wake(asking->task.outside->context);
}

/* ---- to the ladder it is a machine */

static enum machine_want asking_next(void *self, int64_t now_ns, struct outgoing *outgoing, int64_t *wake_ns)
{
	struct asking *asking = self;
	(void)outgoing;
	if (asking->started_ns == 0) {
		asking->started_ns = now_ns;
		asking->ops->begin(asking);
	}
	if (!asking->finished && now_ns >= asking->started_ns + asking->timeout_ns) {
		asking_finish(asking, ATTEMPT_TIMEOUT, NULL, "no whole answer within %lld s",
			(long long)(asking->timeout_ns / NS_PER_S));
		asking->ops->cancel(asking);
	}
	*wake_ns = asking->started_ns + asking->timeout_ns;
	return asking->finished ? MACHINE_DONE : MACHINE_WAIT;
}

static void asking_sent(void *self, uint32_t token, int64_t sent_ns, int error)
{
	(void)self, (void)token, (void)sent_ns, (void)error;
}

static void asking_packet(void *self, int64_t received_ns, const struct packet *packet)
{
	(void)self, (void)received_ns, (void)packet;
}

struct machine asking_machine(void *run)
{
	static const struct machine_ops ops = {asking_next, asking_sent, asking_packet};
	return (struct machine){.ops = &ops, .self = run};
}

void asking_hint(void *run, int64_t rtt_ns)
{
	(void)run, (void)rtt_ns;
}

void asking_known(void *run, const struct path *forward)
{
	struct asking *asking = run;
	asking->forward = forward;
}

struct path *asking_path(const void *run, int64_t started_wall_ns)
{
	const struct asking *asking = run;
	(void)started_wall_ns;
	return asking->path ? path_copy(asking->path) : NULL;
}

enum attempt_status asking_status(const void *run, char *detail, size_t size)
{
	const struct asking *asking = run;
	snprintf(detail, size, "%s", asking->detail);
	return asking->status;
}

int64_t asking_duration_ns(const void *run)
{
	const struct asking *asking = run;
	return asking->started_ns && asking->ended_ns ? asking->ended_ns - asking->started_ns : 0;
}

struct addr asking_public_address(const void *run)
{
	const struct asking *asking = run;
	return asking->public_address;
}

void asking_free(void *run)
{
	struct asking *asking = run;
	bool busy = asking->started_ns && !asking->finished;
	asking->abandoned = asking->finished = true;
	if (busy)
		asking->ops->cancel(asking);
	asking_drop(asking);
}
