/* Looking a name up without waiting for it. Inside bus/. */
#ifndef RETOUR_BUS_NAME_H
#define RETOUR_BUS_NAME_H

#include "base/compiler.h"

struct uv_loop_s;
struct name;

/* 0: DNS has answered, be it that there is no such name; -ETIMEDOUT: it does not. Called once, from the loop.
 */
typedef void name_answered(void *context, int result);
/* NULL: out of memory. Frees itself after it has answered, or was given up. */
struct name *name_ask(
	struct uv_loop_s *loop, const char *host, name_answered *answered, void *context) MUST_USE;
void name_give_up(struct name *name);

#endif
