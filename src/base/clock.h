/* Time inside the program is a signed 64-bit count of nanoseconds: either monotonic (`now_ns`, handed in by a
 * driver or by the virtual Internet) or wall-clock UTC (`wall_ns`). The pure rooms never read a clock. */
#ifndef RETOUR_BASE_CLOCK_H
#define RETOUR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

/* "never", "no such time" */
#define TIME_NEVER INT64_MAX

#define TIME_TEXT_SIZE 32

/* Drivers only. */
int64_t clock_monotonic_ns(void);
int64_t clock_wall_ns(void);
/* Does somebody keep the wall clock right (adjtimex(2))? Then it is off by `error_ns` at most, as far as he
 * knows. */
bool clock_synchronised(int64_t *error_ns);

/* RFC 3339, UTC, microseconds: 2026-11-22T00:50:43.123456Z */
const char *clock_format(int64_t wall_ns, char text[static TIME_TEXT_SIZE]);

static inline double ns_to_ms(int64_t ns)
{
	return (double)ns / 1e6;
}

#endif
