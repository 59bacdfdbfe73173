/* The only place that knows compiler extensions; everything else is plain C17. */
#ifndef RETOUR_BASE_COMPILER_H
#define RETOUR_BASE_COMPILER_H

#include <sys/param.h> /* MIN, MAX */

#define PRINTF_LIKE(format_index, first_argument)                                                            \
	__attribute__((format(printf, format_index, first_argument)))
#define MUST_USE    __attribute__((warn_unused_result))
#define FALLTHROUGH __attribute__((fallthrough))
#define UNUSED	    __attribute__((unused))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
