#include "base/clock.h"

#include <stdio.h>
#include <sys/timex.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

bool clock_synchronised(int64_t *error_ns)
{
	struct timex state = {0}; /* modes 0: only read */
	int result = adjtimex(&state);
	*error_ns = state.maxerror * NS_PER_US;
	return result >= 0 && result != TIME_ERROR && !(state.status & STA_UNSYNC);
}

const char *clock_format(int64_t wall_ns, char text[static TIME_TEXT_SIZE])
{
	time_t seconds = wall_ns / NS_PER_S;
	int64_t rest_ns = wall_ns % NS_PER_S;
	if (rest_ns < 0) { /* before 1970: C rounds towards zero, the calendar does not */
		rest_ns += NS_PER_S;
		seconds--;
	}
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t used = strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + used, TIME_TEXT_SIZE - used, ".%06uZ", (unsigned)(rest_ns / NS_PER_US) % 1000000);
	return text;
}
